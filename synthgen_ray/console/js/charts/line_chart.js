/** What charts of lines share: an axis, two lines at most, and what they are. */

import { h, svg } from "../dom.js";

/** @typedef {{y: number, text: string}} Tick */
/** @typedef {{index: number, points: [number, number][]}} Line `index` is the place in the legend. All is in pixels. */

/**
 * @param {{width: number, height: number, left: number, label: string, ticks: Tick[], lines: Line[], legend: string[]}} chart
 * @param {...SVGElement} below What stands under the axis.
 */
export function lineChart({ width, height, left, label, ticks, lines, legend }, ...below) {
  const axis = ticks.flatMap(({ y, text }) => [
    svg("line", { class: "axis", x1: left, x2: width, y1: y, y2: y }),
    svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, text),
  ]);
  const drawn = lines.map(({ index, points }) => svg("polyline", {
    class: index ? "curve second" : "curve", points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
  }));
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...axis, ...below, ...drawn);
  const told = legend.map((text, index) => h("span", { class: index ? "curve-second tabular" : "curve-first tabular" }, text));
  return h("figure", { class: "stack-s" }, h("figcaption", { class: "legend" }, ...told), chart);
}

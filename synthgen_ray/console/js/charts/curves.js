/** Losses over the epochs of a training. */

import { h, svg } from "../dom.js";
import { number, words } from "../format.js";

const HEIGHT = 200, LEFT = 56, BOTTOM = 20;

/** @typedef {{progress: number, losses: {[name: string]: number}}} Point */

/** @param {Point[]} points @param {number} width In pixels, so that its texts have their size. */
export function lossCurves(points, width) {
  const names = Object.keys(points.at(-1)?.losses ?? {});
  const values = points.flatMap((point) => names.map((name) => point.losses[name] ?? 0));
  const low = Math.min(...values), high = Math.max(...values);
  const x = (/** @type {number} */ progress) => LEFT + progress * (width - LEFT);
  const y = (/** @type {number} */ loss) => 6 + (1 - (loss - low) / (high - low || 1)) * (HEIGHT - BOTTOM - 12);
  const lines = names.map((name, index) => svg("polyline", {
    class: index ? "curve second" : "curve",
    points: points.filter((point) => name in point.losses).map((point) => `${x(point.progress).toFixed(1)},${y(point.losses[name]).toFixed(1)}`).join(" "),
  }));
  const ticks = [low, (low + high) / 2, high].map((loss) => [
    svg("line", { class: "axis", x1: LEFT, x2: width, y1: y(loss), y2: y(loss) }),
    svg("text", { x: LEFT - 6, y: y(loss) + 4, "text-anchor": "end" }, number(loss, 3)),
  ]);
  const progress = [0, 0.5, 1].map((share) => svg("text", {
    x: x(share), y: HEIGHT - 2, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle",
  }, `${100 * share} %`));
  const last = names.map((name) => `${words(name)} ${number(points.at(-1)?.losses[name] ?? 0)}`);
  const chart = svg("svg", {
    class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `Losses so far: ${last.join(", ")}`,
  }, ...ticks.flat(), ...progress, ...lines);
  const legend = last.map((text, index) => h("span", { class: index ? "curve-second tabular" : "curve-first tabular" }, text));
  return h("figure", { class: "stack-s" }, h("figcaption", { class: "legend" }, ...legend), chart);
}

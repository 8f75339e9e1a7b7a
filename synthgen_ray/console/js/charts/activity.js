/** Jobs that wait and jobs that run, over the time that one looks. */

import { stretches } from "../activity.js";
import { h, svg } from "../dom.js";
import { count, duration } from "../format.js";

const HEIGHT = 160, LEFT = 32, BOTTOM = 20, TOP = 6;
const SHORTEST_MS = 60_000;
const LINES = /** @type {const} */ (["running", "pending"]);

/** @typedef {import("../activity.js").Seen} Seen */

/** @param {Seen[]} seen One look at least. @param {number} width In pixels, so that its texts have their size. */
export function activityChart(seen, width) {
  const last = seen[seen.length - 1];
  const span = Math.max(SHORTEST_MS, last.at - seen[0].at);
  const most = axisEnd(Math.max(...seen.flatMap((look) => [look.pending, look.running])));
  const x = (/** @type {number} */ at) => LEFT + (1 - (last.at - at) / span) * (width - LEFT - 2);
  const y = (/** @type {number} */ jobs) => TOP + (1 - jobs / most) * (HEIGHT - BOTTOM - TOP);
  const lines = stretches(seen).flatMap((stretch) => LINES.map((status, index) => svg("polyline", {
    class: index ? "curve second" : "curve",
    points: stretch.map((look) => `${x(look.at).toFixed(1)},${y(look[status]).toFixed(1)}`).join(" "),
  })));
  const ticks = [0, most / 2, most].flatMap((jobs) => [
    svg("line", { class: "axis", x1: LEFT, x2: width, y1: y(jobs), y2: y(jobs) }),
    svg("text", { x: LEFT - 6, y: y(jobs) + 4, "text-anchor": "end" }, count(jobs)),
  ]);
  const times = [
    svg("text", { x: LEFT, y: HEIGHT - 2 }, `${duration(span / 1000)} ago`),
    svg("text", { x: width - 2, y: HEIGHT - 2, "text-anchor": "end" }, "now"),
  ];
  const told = `${count(last.running)} running, ${count(last.pending)} pending`;
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `Jobs since ${duration(span / 1000)}; now ${told}` },
    ...ticks, ...times, ...lines);
  const legend = [h("span", { class: "curve-first tabular" }, `${count(last.running)} running`), h("span", { class: "curve-second tabular" }, `${count(last.pending)} pending`)];
  return h("figure", { class: "stack-s" }, h("figcaption", { class: "legend" }, ...legend), chart);
}

/** An even number at least as large as the most jobs, so that the middle of the axis is a whole one. @param {number} most */
function axisEnd(most) {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(most, 1))));
  return Math.max(2, 2 * Math.ceil(most / step / 2) * step);
}

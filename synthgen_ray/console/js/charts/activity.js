/** Jobs that wait and jobs that run, over the time that one looks. */

import { stretches } from "../activity.js";
import { svg } from "../dom.js";
import { count, duration } from "../format.js";
import { lineChart } from "./line_chart.js";

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
  const lines = stretches(seen).flatMap((stretch) => LINES.map((status, index) => ({
    index, points: stretch.map((look) => /** @type {[number, number]} */ ([x(look.at), y(look[status])])),
  })));
  const ticks = [0, most / 2, most].map((jobs) => ({ y: y(jobs), text: count(jobs) }));
  const times = [
    svg("text", { x: LEFT, y: HEIGHT - 2 }, `${duration(span / 1000)} ago`),
    svg("text", { x: width - 2, y: HEIGHT - 2, "text-anchor": "end" }, "now"),
  ];
  const legend = LINES.map((status) => `${count(last[status])} ${status}`);
  const label = `Jobs since ${duration(span / 1000)}; now ${legend.join(", ")}`;
  return lineChart({ width, height: HEIGHT, left: LEFT, label, ticks, lines, legend }, ...times);
}

/** An even number at least as large as the most jobs, so that the middle of the axis is a whole one. @param {number} most */
function axisEnd(most) {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(most, 1))));
  return Math.max(2, 2 * Math.ceil(most / step / 2) * step);
}

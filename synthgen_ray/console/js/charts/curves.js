/** Losses over the epochs of a training. */

import { svg } from "../dom.js";
import { number, words } from "../format.js";
import { lineChart } from "./line_chart.js";

const HEIGHT = 200, LEFT = 56, BOTTOM = 20;

/** @typedef {{progress: number, losses: {[name: string]: number}}} Point */

/** @param {Point[]} points @param {number} width In pixels, so that its texts have their size. */
export function lossCurves(points, width) {
  const names = Object.keys(points.at(-1)?.losses ?? {});
  const values = points.flatMap((point) => names.map((name) => point.losses[name] ?? 0));
  const low = Math.min(...values), high = Math.max(...values);
  const x = (/** @type {number} */ progress) => LEFT + progress * (width - LEFT);
  const y = (/** @type {number} */ loss) => 6 + (1 - (loss - low) / (high - low || 1)) * (HEIGHT - BOTTOM - 12);
  const lines = names.map((name, index) => ({
    index,
    points: points.filter((point) => name in point.losses).map((point) => /** @type {[number, number]} */ ([x(point.progress), y(point.losses[name])])),
  }));
  const ticks = [low, (low + high) / 2, high].map((loss) => ({ y: y(loss), text: number(loss, 3) }));
  const progress = [0, 0.5, 1].map((share) => svg("text", {
    x: x(share), y: HEIGHT - 2, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle",
  }, `${100 * share} %`));
  const legend = names.map((name) => `${words(name)} ${number(points.at(-1)?.losses[name] ?? 0)}`);
  return lineChart({ width, height: HEIGHT, left: LEFT, label: `Losses so far: ${legend.join(", ")}`, ticks, lines, legend }, ...progress);
}

/** A small histogram: neutral for real values, the accent for synthetic ones, side by side where there are both. */

import { svg } from "../dom.js";

const HEIGHT = 56;

/**
 * @param {{real?: number[], synthetic?: number[]}} shares Of the same bins. @param {string} told What it shows, in words.
 * @param {[string, string]} [ends] What to write at its two ends.
 */
export function histogram(shares, told, ends) {
  const width = 240;
  const groups = [["real", shares.real], ["synthetic", shares.synthetic]].filter((group) => group[1] !== undefined);
  const lists = /** @type {[string, number[]][]} */ (groups);
  const bins = lists[0][1].length;
  const highest = Math.max(...lists.flatMap(([, list]) => list), 1e-9);
  const step = width / bins;
  const thick = Math.max(1, (step - 2) / lists.length);
  const bars = lists.flatMap(([kind, list], group) => list.map((share, bin) => {
    const tall = share > 0 ? Math.max(1, (share / highest) * HEIGHT) : 0;
    return svg("rect", { class: kind, x: bin * step + 1 + group * thick, y: HEIGHT - tall, width: thick, height: tall, rx: Math.min(1.5, thick / 3) });
  }));
  const base = svg("line", { class: "axis", x1: 0, x2: width, y1: HEIGHT + 0.5, y2: HEIGHT + 0.5 });
  const texts = ends ? [
    svg("text", { x: 0, y: HEIGHT + 14 }, ends[0]),
    svg("text", { x: width, y: HEIGHT + 14, "text-anchor": "end" }, ends[1]),
  ] : [];
  return svg("svg", { class: "chart small", viewBox: `0 0 ${width} ${HEIGHT + (ends ? 18 : 2)}`, role: "img", "aria-label": told }, ...bars, base, ...texts);
}

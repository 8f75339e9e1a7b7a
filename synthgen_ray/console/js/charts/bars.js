/** Bars with a label, a length and a share each: one column's distribution, of one table or of two. */

import { h } from "../dom.js";
import { percent } from "../format.js";

/** @typedef {{label: string, shares: number[], onclick?: () => void}} Bar `shares`: synthetic alone, or real and synthetic. */

/**
 * @param {Bar[]} bars @param {{isReal?: boolean}} [of] A single share is synthetic unless it is said to be real.
 */
export function barList(bars, of = {}) {
  const longest = Math.max(...bars.flatMap((bar) => bar.shares), 1e-9);
  const isPaired = bars.some((bar) => bar.shares.length === 2);
  return h("div", { class: isPaired ? "bars pairs" : "bars" }, ...bars.map((bar) => {
    const tracks = bar.shares.map((share, index) => {
      const isSynthetic = isPaired ? index === 1 : !of.isReal;
      const line = h("i", { class: isSynthetic && "synthetic" });
      line.style.width = `${(100 * share) / longest}%`;
      return line;
    });
    const told = bar.shares.map((share) => percent(share, share < 0.1 ? 1 : 0));
    const parts = [
      h("span", { class: "label", title: bar.label }, bar.label),
      h("span", { class: "track", "aria-hidden": "true" }, ...tracks),
      h("span", { class: "number small" }, isPaired && h("span", { class: "sr-only" }, `real ${told[0]}, synthetic `), told.at(-1)),
    ];
    if (!bar.onclick) return h("div", {}, ...parts);
    return h("button", { type: "button", "aria-pressed": "false", onclick: bar.onclick }, ...parts);
  }));
}

/** @param {string[]} names */
export const realAndSynthetic = (names = ["Real", "Synthetic"]) =>
  h("p", { class: "legend" }, h("span", { class: "real" }, names[0]), h("span", {}, names[1]));

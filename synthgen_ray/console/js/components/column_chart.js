/** The distribution of one column, drawn small. */

import { barList } from "../charts/bars.js";
import { histogram } from "../charts/histogram.js";
import { h } from "../dom.js";
import { number, several } from "../format.js";

/** @typedef {import("../types.js").Scalar} Scalar */
/** @typedef {import("../distribution.js").Ranges | import("../distribution.js").Categories} Shown */

/** @param {number} value @param {boolean} isTime */
export const bound = (value, isTime) => (isTime ? new Date(value).toISOString().slice(0, 10) : number(value));

/** @param {string} name @param {Shown | null} shown @param {boolean} isReal */
export function columnChart(name, shown, isReal) {
  if (!shown) return h("p", { class: "small quiet" }, "Made afresh for each row; it has no distribution to learn.");
  if (shown.kind === "categories") return categoryBars(shown, isReal);
  const ends = /** @type {[string, string]} */ ([bound(shown.low, shown.isTime), bound(shown.high, shown.isTime)]);
  const shares = isReal ? { real: shown.shares } : { synthetic: shown.shares };
  return histogram(shares, `${name}: from ${ends[0]} to ${ends[1]}`, ends);
}

/**
 * @param {import("../distribution.js").Categories} shown @param {boolean} isReal
 * @param {(value: Scalar) => void} [choose] What a click on a category does.
 */
export function categoryBars({ values, others }, isReal, choose) {
  const bars = values.map(([value, share]) => ({ label: String(value), shares: [share], onclick: choose && (() => choose(value)) }));
  return h("div", {}, barList(bars, { isReal }), others > 0 && h("p", { class: "small quiet" }, `and ${several(others, "other value")}`));
}

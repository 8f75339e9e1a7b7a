/** The distribution of one column, drawn small. */

import { barList } from "../charts/bars.js";
import { histogram } from "../charts/histogram.js";
import { h } from "../dom.js";
import { number, several } from "../format.js";

/** @typedef {import("../types.js").Scalar} Scalar */
/** @typedef {import("../distribution.js").Ranges | import("../distribution.js").Categories} Shown */

/** @param {number} value @param {boolean} isTime */
export const bound = (value, isTime) => (isTime ? new Date(value).toISOString().slice(0, 10) : number(value));

/**
 * @param {string} name @param {Shown | null} shown @param {boolean} isReal
 * @param {{isChosen: (value: Scalar) => boolean, toggle: (value: Scalar) => void}} [choosing] What a click on a category does.
 */
export function columnChart(name, shown, isReal, choosing) {
  if (!shown) return h("p", { class: "small quiet" }, "Made afresh for each row; it has no distribution to learn.");
  if (shown.kind === "ranges") {
    const ends = /** @type {[string, string]} */ ([bound(shown.low, shown.isTime), bound(shown.high, shown.isTime)]);
    const shares = isReal ? { real: shown.shares } : { synthetic: shown.shares };
    return histogram(shares, `${name}: from ${ends[0]} to ${ends[1]}`, ends);
  }
  const bars = shown.values.map(([value, share]) => ({
    label: String(value),
    shares: [share],
    isPressed: choosing?.isChosen(value),
    onclick: choosing && (() => choosing.toggle(value)),
  }));
  return h("div", {}, barList(bars, { isReal }), shown.others > 0 && h("p", { class: "small quiet" }, `and ${several(shown.others, "other value")}`));
}

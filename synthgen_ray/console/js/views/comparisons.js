/** Each column, and each pair, real beside synthetic; the least alike come first. */

import { barList, realAndSynthetic } from "../charts/bars.js";
import { histogram } from "../charts/histogram.js";
import { h } from "../dom.js";
import { number, percent, several } from "../format.js";

/** @typedef {import("../types.js").ColumnResult} ColumnResult */
/** @typedef {import("../types.js").PairResult} PairResult */
/** @typedef {import("../types.js").Bin} Bin */

const FIRST = 12;
const SHOWN_BARS = 8;

/** @param {ColumnResult[]} columns @param {PairResult[]} pairs */
export function comparisons(columns, pairs) {
  const related = pairs.filter((pair) => pair.related);
  return h("div", { class: "stack-l" },
    h("section", { class: "stack" }, h("div", { class: "spread" }, h("h2", {}, "Columns"), realAndSynthetic()),
      h("div", { class: "grid" }, ...columns.slice(0, FIRST).map(columnCard)), rest(columns.slice(FIRST).map(columnCard), "column")),
    related.length > 0 && h("section", { class: "stack" }, h("h2", {}, "Pairs that belong together"),
      h("p", { class: "quiet" }, "How well what one column says of another was kept."), pairTable(related)));
}

/** @param {Node[]} cards @param {string} what */
const rest = (cards, what) => cards.length > 0 && h("details", { class: "more" }, h("summary", {}, `${several(cards.length, what)} more`), h("div", { class: "grid" }, ...cards));

/** @param {ColumnResult} column */
function columnCard(column) {
  return h("div", { class: "card column stack-s" },
    h("div", { class: "spread" }, h("h3", {}, column.name), h("span", { class: "small quiet tabular", title: "How alike the two distributions are" }, percent(column.shape.value, 1))),
    chart(column));
}

/** @param {ColumnResult} column */
function chart({ name, distribution }) {
  const ranges = distribution.filter((bin) => bin.kind === "range");
  if (ranges.length > 1) {
    const ends = /** @type {[string, string]} */ ([edge(ranges[0].low), edge(ranges[ranges.length - 1].high)]);
    const shares = { real: ranges.map((bin) => bin.real), synthetic: ranges.map((bin) => bin.synthetic) };
    return histogram(shares, `${name}, real beside synthetic, from ${ends[0]} to ${ends[1]}`, ends);
  }
  return barList(distribution.slice(0, SHOWN_BARS).map((bin) => ({ label: labelOf(bin), shares: [bin.real, bin.synthetic] })));
}

/** @param {number | string | null} value */
const edge = (value) => (value === null ? "" : typeof value === "number" ? number(value) : value.slice(0, 10));

/** @param {Bin} bin */
const labelOf = (bin) => (bin.kind === "null" ? "missing" : bin.kind === "rest" ? "all others" : bin.label ?? `${edge(bin.low)} to ${edge(bin.high)}`);

/** @param {PairResult[]} pairs */
function pairTable(pairs) {
  const bars = pairs.map(({ columns: [a, b], trend }) => h("tr", {}, h("th", { scope: "row" }, `${a} and ${b}`), h("td", { class: "number" }, percent(trend.value, 1))));
  const table = (/** @type {Node[]} */ lines) => h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Pair"), h("th", { scope: "col", class: "number" }, "Kept"))), h("tbody", {}, ...lines)));
  return h("div", { class: "stack" }, table(bars.slice(0, FIRST)),
    bars.length > FIRST && h("details", { class: "more" }, h("summary", {}, `${several(bars.length - FIRST, "pair")} more`), table(bars.slice(FIRST))));
}

/** What every row must have, built by clicks on what the model makes by itself. */

import { bound, columnChart } from "../components/column_chart.js";
import { distribution } from "../distribution.js";
import { h } from "../dom.js";

/** @typedef {import("../types.js").Conditions} Conditions */
/** @typedef {import("../types.js").Scalar} Scalar */
/** @typedef {import("../types.js").Row} Row */
/** @typedef {{conditions: Conditions}} Asked */

/** @param {string} column @param {Asked} asked @param {Scalar} value */
function toggle(column, asked, value) {
  const chosen = valuesOf(asked.conditions[column]);
  const others = chosen.filter((each) => each !== value);
  const now = others.length < chosen.length ? others : [...chosen, value];
  if (now.length === 0) delete asked.conditions[column];
  else asked.conditions[column] = now.length === 1 ? now[0] : now;
}

/** @param {import("../types.js").Condition | undefined} condition @returns {Scalar[]} */
function valuesOf(condition) {
  if (condition === undefined || (typeof condition === "object" && condition !== null && !Array.isArray(condition))) return [];
  return Array.isArray(condition) ? condition : [condition];
}

/**
 * A card for each column: its distribution, and what may be asked of it.
 * @param {string[]} columns @param {Row[]} rows @param {(column: string) => string} kindOf @param {Asked} asked @param {() => void} onChange
 */
export function conditionCards(columns, rows, kindOf, asked, onChange) {
  return h("ul", { class: "grid" }, ...columns.map((column) => {
    const kind = kindOf(column);
    const shown = distribution(rows.map((row) => row[column]), kind);
    const choosing = {
      /** @param {Scalar} value */
      isChosen: (value) => valuesOf(asked.conditions[column]).includes(value),
      /** @param {Scalar} value */
      toggle: (value) => {
        toggle(column, asked, value);
        onChange();
      },
    };
    return h("li", { class: "card column stack-s" }, h("h3", {}, column),
      columnChart(column, shown, false, kind === "constant" ? undefined : choosing),
      shown?.kind === "ranges" && rangeFields(column, shown, asked, onChange));
  }));
}

/** @param {string} column @param {import("../distribution.js").Ranges} shown @param {Asked} asked @param {() => void} onChange */
function rangeFields(column, shown, asked, onChange) {
  const condition = asked.conditions[column];
  const given = typeof condition === "object" && condition !== null && !Array.isArray(condition) ? condition : {};
  const inputs = /** @type {const} */ (["min", "max"]).map((end) => h("input", {
    type: shown.isTime ? "date" : "number", step: "any", value: given[end] ?? "", "aria-label": `${column}, ${end === "min" ? "from" : "to"}`,
    placeholder: bound(end === "min" ? shown.low : shown.high, shown.isTime), onchange: read,
  }));
  function read() {
    /** @param {HTMLInputElement} input */
    const valueOf = (input) => (input.value === "" ? undefined : shown.isTime ? input.value : Number(input.value));
    const [min, max] = inputs.map(valueOf);
    if (min === undefined && max === undefined) delete asked.conditions[column];
    else asked.conditions[column] = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
    onChange();
  }
  return h("div", { class: "range" }, inputs[0], h("span", { class: "quiet" }, "to"), inputs[1]);
}

/** What is asked for, as chips that take it away. @param {Asked} asked @param {() => void} onChange */
export function conditionChips(asked, onChange) {
  const names = Object.keys(asked.conditions);
  if (names.length === 0) return h("p", { class: "small quiet" }, "No condition. Under Conditions, click a value or type a range: then all rows have it.");
  return h("div", { class: "chips" }, ...names.map((column) => {
    const text = `${column} ${worded(asked.conditions[column])}`;
    return h("button", { type: "button", class: "chip", "aria-label": `Without: ${text}`, onclick: () => {
      delete asked.conditions[column];
      onChange();
    } }, text, h("span", { "aria-hidden": "true" }, "×"));
  }));
}

/** @param {import("../types.js").Condition} condition */
function worded(condition) {
  if (typeof condition !== "object" || condition === null) return `= ${condition}`;
  if (Array.isArray(condition)) return `= ${condition.join(" or ")}`;
  const { min, max } = condition;
  return min === undefined ? `up to ${max}` : max === undefined ? `from ${min}` : `from ${min} to ${max}`;
}

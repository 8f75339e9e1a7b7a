/** A column of a model: what it makes by itself, and what may be asked of it. */

import { END_OF_DAY, askRange, rangeOf, toggle, valuesOf } from "../asked.js";
import { bound, categoryBars, columnChart } from "../components/column_chart.js";
import { distribution } from "../distribution.js";
import { h } from "../dom.js";
import { percent } from "../format.js";
import { numberOf } from "../json.js";
import { shareFields } from "./share_fields.js";

/** @typedef {import("../asked.js").Asked} Asked */
/** @typedef {import("../types.js").Scalar} Scalar */
/** @typedef {{element: HTMLElement, show: () => void}} Shown `show` looks at what is asked now; nothing is made anew, so the focus stays. */

const MOST_VALUES = 100;
const SHORT = 8;
const MADE_AFRESH = new Set(["id", "text"]);

/**
 * @param {{name: string, kind: string, nullable: boolean, format: string | null}} column @param {Scalar[]} cells What the model made.
 * @param {Asked} asked @param {() => void} onChange
 * @returns {Shown}
 */
export function conditionCard({ name, kind, nullable, format }, cells, asked, onChange) {
  const shown = distribution(cells, kind, { most: MOST_VALUES, format });
  const parts = [shown?.kind === "ranges" ? rangeFields(name, shown, asked, onChange) : null,
    shown?.kind === "categories" ? values(name, kind, shown, asked, onChange) : null,
    nullable && !MADE_AFRESH.has(kind) ? missing(name, cells, asked, onChange) : null].filter((part) => part !== null);
  const chart = shown?.kind !== "categories" && columnChart(name, shown, false);
  return {
    element: h("li", { class: "card column stack-s" }, h("h3", {}, name), chart, ...parts.map((part) => part.element)),
    show: () => parts.forEach((part) => part.show()),
  };
}

/** @param {string} column @param {string} kind @param {import("../distribution.js").Categories} shown @param {Asked} asked @param {() => void} onChange @returns {Shown} */
function values(column, kind, shown, asked, onChange) {
  if (kind === "constant") return { element: categoryBars(shown, false), show: () => {} };
  const bars = categoryBars(shown, false, (value) => {
    toggle(asked, column, value);
    onChange();
  });
  bars.classList.toggle("long", shown.values.length > SHORT);
  const buttons = [...bars.querySelectorAll("button")];
  const shares = shareFields(column, shown, asked, onChange);
  return {
    element: h("div", { class: "stack-s" }, bars, shares.element),
    show() {
      const chosen = valuesOf(asked, column);
      buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(chosen.includes(shown.values[index][0]))));
      bars.hidden = asked.shares?.column === column;
      shares.show();
    },
  };
}

/** @param {string} column @param {Scalar[]} cells @param {Asked} asked @param {() => void} onChange @returns {Shown} */
function missing(column, cells, asked, onChange) {
  const share = cells.filter((cell) => cell === null).length / cells.length;
  const button = h("button", { type: "button", class: "toggle small", "aria-pressed": "false", onclick: () => {
    toggle(asked, column, null);
    onChange();
  } }, h("span", { class: "null" }, "missing"), ` ${percent(share, share < 0.1 ? 1 : 0)}`, h("span", { class: "sr-only" }, ` of ${column}`));
  return {
    element: h("div", {}, button),
    show: () => button.setAttribute("aria-pressed", String(valuesOf(asked, column).includes(null))),
  };
}

/** @param {string} column @param {import("../distribution.js").Ranges} shown @param {Asked} asked @param {() => void} onChange @returns {Shown} */
function rangeFields(column, shown, asked, onChange) {
  const ends = /** @type {const} */ (["min", "max"]);
  const inputs = ends.map((end) => h("input", {
    type: shown.isTime ? "date" : "number", step: "any", "aria-label": `${column}, ${end === "min" ? "from" : "to"}`,
    placeholder: bound(end === "min" ? shown.low : shown.high, shown.isTime), onchange: read,
  }));
  function read() {
    /** @param {HTMLInputElement} input */
    const valueOf = (input) => (input.value === "" ? undefined : shown.isTime ? input.value : numberOf(input.value));
    const [min, max] = inputs.map(valueOf);
    askRange(asked, column, { ...(min !== undefined && { min }), ...(max !== undefined && { max: shown.hasClock ? max + END_OF_DAY : max }) });
    onChange();
  }
  return {
    element: h("div", { class: "range" }, inputs[0], h("span", { class: "quiet" }, "to"), inputs[1]),
    show() {
      const given = rangeOf(asked, column);
      ends.forEach((end, index) => (inputs[index].value = String(given[end] ?? "").replace(END_OF_DAY, "")));
    },
  };
}

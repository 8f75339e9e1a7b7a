/** The shares of a column's values, in per cent, for rebalancing. */

import { askShares, fault, leave, total, wholePercents } from "../asked.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";

/** @typedef {import("../asked.js").Asked} Asked */

const SHORT = 8;

/**
 * @param {string} column @param {import("../distribution.js").Categories} shown @param {Asked} asked @param {() => void} onChange
 * @returns {import("./condition_card.js").Shown}
 */
export function shareFields(column, shown, asked, onChange) {
  const names = shown.values.map(([value]) => String(value));
  const own = wholePercents(shown.values.map(([, share]) => share));
  const inputs = names.map((name) => h("input", { type: "number", min: 0, max: 100, step: "any", "aria-label": `Share of ${name} in per cent`, oninput: read, onchange: onChange }));
  const sum = h("p", { class: "small tabular", "aria-live": "polite" });
  const fields = h("fieldset", { class: "stack-s shares" }, h("legend", {}, "Shares in per cent"),
    h("div", { class: names.length > SHORT ? "stack-s long" : "stack-s" }, ...names.map((name, index) =>
      h("div", { class: "share" }, h("span", { class: "label", title: name }, name), inputs[index]))),
    sum);
  const button = h("button", { type: "button", class: "button plain small", onclick: () => {
    if (isOn()) leave(asked, column);
    else askShares(asked, column, Object.fromEntries(names.map((name, index) => [name, own[index]])));
    onChange();
  } });
  const isOn = () => asked.shares?.column === column;

  function read() {
    askShares(asked, column, Object.fromEntries(names.map((name, index) => [name, Number(inputs[index].value)])));
    showSum();
  }

  function showSum() {
    const wrong = fault(asked);
    sum.className = `small tabular ${wrong ? "error" : "quiet"}`;
    fill(sum, wrong ?? `Sum: ${number(asked.shares ? total(asked.shares) : 100)} %. Values that are not listed get no row.`);
  }

  return {
    element: h("div", { class: "stack-s" }, fields, h("div", {}, button)),
    show() {
      fields.hidden = !isOn();
      fill(button, isOn() ? "Remove shares" : "Set shares", h("span", { class: "sr-only" }, ` of ${column}`));
      if (!isOn()) return;
      names.forEach((name, index) => (inputs[index].value = String(asked.shares?.percents[name] ?? 0)));
      showSum();
    },
  };
}

/** What every row must have, built by clicks on what the model makes by itself. */

import { inWords, leave } from "../asked.js";
import { h } from "../dom.js";

/** @typedef {import("../asked.js").Asked} Asked */

/** What is asked for, as chips that take it away. @param {Asked} asked @param {() => void} onChange */
export function conditionChips(asked, onChange) {
  const told = inWords(asked);
  if (told.length === 0) return h("p", { class: "small quiet" }, "No condition. Under Conditions, click a value, type a range or set shares: then the rows have it.");
  return h("div", { class: "chips" }, ...told.map(([column, words]) => {
    const text = `${column} ${words}`;
    return h("button", { type: "button", class: "chip", "aria-label": `Without: ${text}`, onclick: () => {
      leave(asked, column);
      onChange();
    } }, text, h("span", { "aria-hidden": "true" }, "×"));
  }));
}

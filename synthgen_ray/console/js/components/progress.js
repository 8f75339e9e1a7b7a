/** How far something is: a bar that screen readers know, and a line of text. */

import { h } from "../dom.js";

/** @param {string} label */
export function progress(label) {
  const fill = h("div");
  const bar = h("div", { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const text = h("p", { class: "small quiet tabular" });
  return {
    element: h("div", { class: "stack-s" }, bar, text),
    /** @param {number} share From 0 to 1. @param {string} message */
    show(share, message) {
      fill.style.width = `${100 * share}%`;
      bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      bar.setAttribute("aria-valuetext", message);
      text.textContent = message;
    },
  };
}

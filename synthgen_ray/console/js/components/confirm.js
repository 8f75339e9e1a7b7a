/** Asks once more before something is gone for good. */

import { h } from "../dom.js";
import { curl } from "./curl.js";

/**
 * @param {string} title @param {string} consequence @param {string} action @param {import("../types.js").Call} call What the action sends.
 * @returns {Promise<boolean>}
 */
export function confirmed(title, consequence, action, call) {
  const no = h("button", { class: "button", value: "no", autofocus: true }, "Keep it");
  const yes = h("button", { class: "button danger primary", value: "yes" }, action);
  const dialog = h("dialog", { "aria-labelledby": "confirm-title" },
    h("form", { method: "dialog", class: "stack" },
      h("h2", { id: "confirm-title" }, title), h("p", {}, consequence),
      h("div", { class: "row" }, yes, no), curl(() => call, action)));
  document.body.append(dialog);
  dialog.showModal();
  const close = () => dialog.close();
  addEventListener("hashchange", close); // as by the browser's way back
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    removeEventListener("hashchange", close);
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  }));
}

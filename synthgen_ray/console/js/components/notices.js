/** Short messages in a corner, read out by screen readers. */

import { byId, h } from "../dom.js";

const SHOWN_MS = 6000;

/** @param {string} text */
export function notify(text) {
  const notice = h("p", { class: "notice" }, text);
  byId("notices").append(notice);
  setTimeout(() => notice.remove(), SHOWN_MS);
}

/** The status of a model, a job or a report as a small badge with a word. */

import { h } from "../dom.js";

/** @type {{[status: string]: string}} */
const LOOKS = {
  pending: "", queued: "", training: "busy", running: "busy", ready: "good", completed: "good", succeeded: "good",
  failed: "bad", cancelled: "bad", good: "good", warn: "warn", bad: "bad",
};

/** @param {string} status @param {string} [text] */
export const badge = (status, text = status) => h("span", { class: `badge ${LOOKS[status] ?? ""}` }, text);

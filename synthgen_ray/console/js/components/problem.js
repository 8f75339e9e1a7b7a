/** An error as a sentence, and what to do about it where that is known. */

import { ApiError } from "../api.js";
import { h } from "../dom.js";
import { notify } from "./notices.js";

/** @type {{[code: string]: string}} */
const ADVICE = {
  missing_role: "Ask whoever runs the server for a key of that role.",
  key_is_bound: "Ask whoever runs the server to do it, or for a key that is not bound.",
  rate_limited: "Wait a moment, then try again.",
};

/** @param {unknown} error */
const sentenceOf = (error) => (error instanceof ApiError ? error.message : "The page itself failed. Reload it; what you made is on the server.");

/** Where it belongs, or in the corner once that has been left. @param {HTMLElement} place @param {unknown} error */
export function showProblem(place, error) {
  if (place.isConnected) place.replaceChildren(problem(error));
  else notify(sentenceOf(error));
}

/** @param {unknown} error */
export function problem(error) {
  const known = error instanceof ApiError;
  const sentence = sentenceOf(error);
  const fields = known ? error.fields.filter((field) => field !== sentence) : [];
  const advice = known ? ADVICE[error.code] : undefined;
  return h("div", { class: "error stack-s", role: "alert" },
    h("p", {}, sentence),
    fields.length > 0 && h("ul", {}, ...fields.map((field) => h("li", {}, field))),
    advice && h("p", {}, advice));
}

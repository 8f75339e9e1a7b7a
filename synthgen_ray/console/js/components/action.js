/** A button that does something on the server: it waits, and says what went wrong where it stands. */

import { h } from "../dom.js";
import { problem } from "./problem.js";

/**
 * @param {string} text @param {() => Promise<void>} act @param {string} [look] `primary`, `danger` or `plain`.
 * @returns {{button: HTMLButtonElement, place: HTMLElement}} `place` shows the error.
 */
export function action(text, act, look = "") {
  const place = h("div");
  const button = h("button", { class: `button ${look}`, type: "button", onclick: () => run(button, place, act) }, text);
  return { button, place };
}

/** @param {string} text @param {() => Promise<void>} act Of a form, when it is sent. */
export function submit(text, act) {
  const place = h("div");
  const button = h("button", { class: "button primary", type: "submit" }, text);
  /** @param {SubmitEvent} event */
  const onsubmit = (event) => {
    event.preventDefault();
    run(button, place, act);
  };
  return { button, place, onsubmit };
}

/** @param {HTMLButtonElement} button @param {HTMLElement} place @param {() => Promise<void>} act */
async function run(button, place, act) {
  button.disabled = true;
  place.replaceChildren();
  try {
    await act();
  } catch (error) {
    place.replaceChildren(problem(error));
  } finally {
    button.disabled = false;
  }
}

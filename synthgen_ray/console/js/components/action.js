/** A button that makes a call: it waits, says what went wrong where it stands, and shows the same call as a command. */

import { h } from "../dom.js";
import { curl } from "./curl.js";
import { problem } from "./problem.js";

/** @typedef {import("../types.js").Call} Call */
/** @typedef {(call: Call) => Promise<void>} Act Sends the call, and shows what came of it. */
/** @typedef {{button: HTMLButtonElement, place: HTMLElement, command: HTMLElement}} Action `place` shows the error. */

/**
 * @param {string} text @param {() => Call} call @param {Act} act @param {string} [look] `primary`, `danger` or `plain`.
 * @returns {Action}
 */
export function action(text, call, act, look = "") {
  const place = h("div");
  const button = h("button", { class: `button ${look}`, type: "button", onclick: () => run(button, place, call, act) }, text);
  return { button, place, command: curl(call, text) };
}

/**
 * @param {string} text @param {() => Call} call @param {Act} act Of a form, when it is sent.
 * @returns {Action & {onsubmit: (event: SubmitEvent) => void}}
 */
export function submit(text, call, act) {
  const place = h("div");
  const button = h("button", { class: "button primary", type: "submit" }, text);
  /** @param {SubmitEvent} event */
  const onsubmit = (event) => {
    event.preventDefault();
    run(button, place, call, act);
  };
  return { button, place, onsubmit, command: curl(call, text) };
}

/** @param {HTMLButtonElement} button @param {HTMLElement} place @param {() => Call} call @param {Act} act */
async function run(button, place, call, act) {
  button.disabled = true;
  place.replaceChildren();
  try {
    await act(call());
  } catch (error) {
    place.replaceChildren(problem(error));
  } finally {
    button.disabled = false;
  }
}

/** A button that makes a call: it waits, says what went wrong where it stands, and shows the same call as a command. */

import { h } from "../dom.js";
import { go } from "../router.js";
import { curl } from "./curl.js";
import { showProblem } from "./problem.js";

/** @typedef {import("../types.js").Call} Call */
/** @typedef {(call: Call) => Promise<string | void>} Act Sends the call, shows what came of it, and tells where that leads. */
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
  if (button.ariaDisabled) return;
  button.ariaDisabled = "true"; // a button that is disabled would lose the focus
  place.replaceChildren();
  try {
    const address = await act(call());
    if (address && place.isConnected) go(address); // who has left meanwhile stays where they are
  } catch (error) {
    showProblem(place, error);
  } finally {
    button.ariaDisabled = null;
  }
}

/** Labelled fields of forms. */

import { h } from "../dom.js";

let made = 0;

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/**
 * @template {Control} T
 * @param {string} label @param {T} control @param {string} [hint]
 * @returns {HTMLElement}
 */
export function field(label, control, hint) {
  control.id = `field-${++made}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control,
    hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint));
}

/** @param {string} label @param {HTMLInputElement} control @param {string} [hint] */
export function check(label, control, hint) {
  control.type = "checkbox";
  control.id = `field-${++made}`;
  return h("div", { class: "check" }, control, h("div", {}, h("label", { for: control.id }, label), hint && h("p", { class: "small quiet" }, hint)));
}

/** @param {[value: string, text: string][]} options @param {string} chosen @param {import("../dom.js").Attributes} [attributes] */
export function choice(options, chosen, attributes = {}) {
  return h("select", attributes, ...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

/** The options of a model type as a form, from the JSON Schema that the server has of them. */

import { check, choice, field } from "./components/fields.js";
import { h } from "./dom.js";
import { plain, words } from "./format.js";

/** @typedef {import("./types.js").Option} Option */
/** @typedef {{element: HTMLElement, read: () => unknown}} Asked `read` gives undefined for what is left at its default. */

/** @param {string} name @param {Option} option @param {unknown} given What was chosen before. @returns {Asked} */
export function optionField(name, option, given) {
  const kinds = option.anyOf ?? [option];
  const kind = kinds.find((each) => each.type !== "null") ?? option;
  const standard = option.default;
  const label = words(name);
  const hint = plain(option.description ?? "");
  const choices = kinds.flatMap((each) => each.enum ?? ("const" in each ? [each["const"]] : [])).map(String);
  if (kind.type === "boolean") {
    const box = h("input", { type: "checkbox", name, checked: Boolean(given ?? standard) });
    return { element: check(label, box, hint), read: () => unless(box.checked === standard, box.checked) };
  }
  if (choices.length > 0) {
    const select = choice(choices.map((value) => [value, value]), String(given ?? standard), { name });
    return { element: field(label, select, hint), read: () => unless(select.value === standard, select.value) };
  }
  const isNumber = kind.type === "integer" || kind.type === "number";
  const input = h("input", {
    name, value: textOf(given), placeholder: textOf(standard) || "automatic", inputmode: isNumber ? "decimal" : "text",
    type: isNumber ? "number" : "text", step: kind.type === "integer" ? 1 : "any", min: kind.minimum, max: kind.maximum,
  });
  return { element: field(label, input, hint), read: () => unless(input.value.trim() === "", parsed(input.value, kind)) };
}

/** @param {boolean} isDefault @param {unknown} value */
const unless = (isDefault, value) => (isDefault ? undefined : value);

/** @param {unknown} value */
const textOf = (value) => (value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value));

/** What is no number stays text: the server says what would be right. @param {string} text @param {Option} kind */
function parsed(text, kind) {
  /** @param {string} part */
  const one = (part) => (part.trim() !== "" && Number.isFinite(Number(part)) ? Number(part) : part.trim());
  return kind.type === "array" ? text.split(",").map(one) : kind.type === "string" ? text : one(text);
}

/** A list with a field that narrows it down while one types. */

import { h } from "../dom.js";
import { count } from "../format.js";

const WORTH_SEARCHING = 6;

/**
 * @template T
 * @param {string} what @param {T[]} items @param {(item: T) => string} textOf @param {(items: T[]) => Node} show
 */
export function searchable(what, items, textOf, show) {
  const place = h("div", {}, show(items));
  if (items.length < WORTH_SEARCHING) return place;
  const told = h("p", { class: "small quiet", "aria-live": "polite" }, `${count(items.length)} ${what}`);
  const search = h("input", { type: "search", "aria-label": `Search ${what}`, placeholder: `Search ${what}`, oninput: () => {
    const wanted = search.value.trim().toLowerCase();
    const found = items.filter((item) => textOf(item).toLowerCase().includes(wanted));
    told.textContent = `${count(found.length)} of ${count(items.length)} ${what}`;
    place.replaceChildren(found.length ? show(found) : h("p", { class: "empty" }, "Nothing matches. Fewer letters find more."));
  } });
  return h("div", { class: "stack" }, h("div", { class: "row" }, h("div", { class: "grow" }, search), told), place);
}

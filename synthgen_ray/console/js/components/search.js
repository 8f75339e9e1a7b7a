/** A list with a field that narrows it down while one types. */

import { h } from "../dom.js";
import { count, words } from "../format.js";

const WORTH_SEARCHING = 6;

/**
 * @template T
 * @param {string} what @param {import("../types.js").Listed<T>} listed The newest of them, all if there are not too many.
 * @param {(item: T) => string} textOf @param {(items: T[]) => Node} show @param {Node} empty What stands there while there is none.
 * @returns {{element: HTMLElement, show: (listed: import("../types.js").Listed<T>) => void}} `show` takes them as they are later.
 */
export function searchable(what, listed, textOf, show, empty) {
  const place = h("div");
  const told = h("p", { class: "small quiet", "aria-live": "polite" });
  const search = h("input", { type: "search", "aria-label": `Search ${what}`, placeholder: `Search ${what}`, oninput: showFound });
  const bar = h("div", { class: "row" }, h("div", { class: "grow" }, search), told);
  const nothing = h("p", { class: "empty" }, "Nothing matches. Fewer letters find more.");

  function showFound() {
    const wanted = search.value.trim().toLowerCase();
    const { items, total } = listed;
    const found = items.filter((item) => textOf(item).toLowerCase().includes(wanted));
    const node = found.length > 0 ? show(found) : items.length > 0 ? nothing : empty;
    if (place.firstChild !== node) place.replaceChildren(node);
    bar.toggleAttribute("hidden", items.length < WORTH_SEARCHING && wanted === "");
    const all = items.length < total ? `the newest ${count(items.length)} of ${count(total)}` : count(items.length);
    const sentence = words(`${wanted ? `${count(found.length)} of ` : ""}${all} ${what}`);
    if (told.textContent !== sentence) told.textContent = sentence;
  }
  showFound();
  return {
    element: h("div", { class: "stack" }, bar, place),
    show(later) {
      listed = later;
      showFound();
    },
  };
}

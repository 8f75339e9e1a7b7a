/** A list whose lines stay what they are: one is drawn anew where its item changed, and the others keep their focus. */

import { h } from "../dom.js";

/** @template T @typedef {{element: HTMLElement, show: (item: T) => void}} Line */

/**
 * @template {{id: string}} T
 * @param {(item: T) => Line<T>} lineOf One that shows the item.
 * @returns {(items: T[]) => HTMLElement} Shows these; always the same element.
 */
export function lines(lineOf) {
  const list = h("ul", { class: "list" });
  /** @type {Map<string, {line: Line<T>, told: string}>} */
  const kept = new Map();
  return (items) => {
    const ids = new Set(items.map((item) => item.id));
    for (const [id, { line }] of kept) {
      if (ids.has(id)) continue;
      line.element.remove();
      kept.delete(id);
    }
    items.forEach((item, place) => {
      const told = JSON.stringify(item);
      const known = kept.get(item.id);
      const line = known?.line ?? lineOf(item);
      if (known && known.told !== told) line.show(item);
      kept.set(item.id, { line, told });
      if (list.children[place] !== line.element) list.insertBefore(line.element, list.children[place] ?? null);
    });
    return list;
  };
}

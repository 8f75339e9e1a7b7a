/** Rows of a table, as text. */

import { h } from "../dom.js";

/** @typedef {string | number | boolean | null} Cell */

/** @param {string[]} columns @param {Cell[][]} rows @param {string} caption */
export function rowsTable(columns, rows, caption) {
  const isNumber = (/** @type {number} */ at) => rows.every((row) => row[at] === null || typeof row[at] === "number");
  return h("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr-only" }, caption),
      h("thead", {}, h("tr", {}, ...columns.map((name, at) => h("th", { scope: "col", class: isNumber(at) && "number" }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) =>
        cell === null || cell === "" ? h("td", { class: "null" }, "missing") : h("td", { class: typeof cell === "number" && "number", title: String(cell) }, String(cell))))))));
}

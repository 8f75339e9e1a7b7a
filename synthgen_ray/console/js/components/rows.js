/** Rows of a table, as text. */

import { h } from "../dom.js";

/** @typedef {import("../types.js").Scalar} Cell */

/** @param {Cell | undefined} cell */
export const isNumber = (cell) => typeof cell === "number" || typeof cell === "bigint";

/** @param {string[]} columns @param {Cell[][]} rows @param {string} caption */
export function rowsTable(columns, rows, caption) {
  const areNumbers = (/** @type {number} */ at) => rows.every((row) => row[at] === null || isNumber(row[at]));
  return h("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr-only" }, caption),
      h("thead", {}, h("tr", {}, ...columns.map((name, at) => h("th", { scope: "col", class: areNumbers(at) && "number" }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) =>
        cell === null || cell === "" ? h("td", { class: "null" }, cell === null ? "missing" : "empty")
          : h("td", { class: isNumber(cell) && "number", title: String(cell) }, String(cell))))))));
}

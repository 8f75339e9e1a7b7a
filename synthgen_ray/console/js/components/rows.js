/** Rows of a table, as text. */

import { h } from "../dom.js";

/** @param {string[]} columns @param {(string | number | boolean | null)[][]} rows @param {string} caption */
export function rowsTable(columns, rows, caption) {
  return h("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr-only" }, caption),
      h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) =>
        cell === null || cell === "" ? h("td", { class: "null" }, "missing") : h("td", { class: typeof cell === "number" && "number", title: String(cell) }, String(cell))))))));
}

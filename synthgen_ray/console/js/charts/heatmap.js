/** How much each two columns say of each other, as a square of cells. */

import { h, svg } from "../dom.js";
import { percent } from "../format.js";

const CELL = 16;

/**
 * @param {string} title @param {string[]} columns @param {number[][]} values From 0 to 1. @param {"real" | "synthetic"} kind
 */
export function heatmap(title, columns, values, kind) {
  const side = columns.length * CELL;
  const cells = values.flatMap((line, row) => line.map((value, column) => {
    const place = { x: column * CELL + 0.5, y: row * CELL + 0.5, width: CELL - 1, height: CELL - 1, rx: 2 };
    const told = svg("title", {}, `${columns[row]} and ${columns[column]}: ${percent(Math.abs(value))}`);
    return svg("g", {}, svg("rect", { ...place, class: "cell empty" }), svg("rect", { ...place, class: `cell ${kind}`, "fill-opacity": Math.min(1, Math.abs(value)).toFixed(3) }, told));
  }));
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": `${title}: associations of ${columns.length} columns` }, ...cells);
  return h("figure", { class: "stack-s" }, h("figcaption", { class: "small quiet" }, title), chart);
}

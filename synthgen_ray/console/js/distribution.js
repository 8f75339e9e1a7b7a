/** What a page shows of a column from the rows that it has: shares of categories, or of equal ranges. */

import { momentReader } from "./dates.js";

/** @typedef {import("./types.js").Scalar} Scalar */
/** @typedef {{kind: "ranges", low: number, high: number, shares: number[], isTime: boolean, hasClock: boolean}} Ranges `hasClock`: not all are whole days. */
/** @typedef {{kind: "categories", values: [Scalar, number][], others: number}} Categories */

const MOST_CATEGORIES = 8;
const BINS = 20;
const DAY_MS = 86_400_000;
const RANGED = new Set(["integer", "float", "datetime"]);

/**
 * @param {Scalar[]} cells null and "" are missing. @param {string} kind The column's. @param {{bins?: number, most?: number, format?: string | null}} [of] How many ranges, how many categories at most, and how dates are written.
 * @returns {Ranges | Categories | null} null where there is nothing to show.
 */
export function distribution(cells, kind, { bins = BINS, most = MOST_CATEGORIES, format = null } = {}) {
  const present = cells.filter((cell) => cell !== null && cell !== "");
  if (present.length === 0 || kind === "id" || kind === "text") return null;
  if (RANGED.has(kind)) {
    const ranges = rangesOf(present, kind === "datetime", bins, format);
    if (ranges) return ranges;
  }
  return categoriesOf(present, most);
}

/** @param {Scalar[]} cells @param {boolean} isTime @param {number} bins @param {string | null} format @returns {Ranges | null} */
function rangesOf(cells, isTime, bins, format) {
  const read = isTime ? momentReader(format) : Number;
  const numbers = cells.map((cell) => read(String(cell))).filter(Number.isFinite);
  if (numbers.length === 0) return null;
  const low = numbers.reduce((a, b) => Math.min(a, b)), high = numbers.reduce((a, b) => Math.max(a, b));
  const shares = new Array(bins).fill(0);
  for (const value of numbers) {
    const bin = high > low ? Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins)) : 0;
    shares[bin] += 1 / numbers.length;
  }
  return { kind: "ranges", low, high, shares, isTime, hasClock: isTime && numbers.some((moment) => moment % DAY_MS !== 0) };
}

/** @param {Scalar[]} cells @param {number} most @returns {Categories} */
function categoriesOf(cells, most) {
  /** @type {Map<Scalar, number>} */
  const counts = new Map();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  /** @type {[Scalar, number][]} */
  const values = sorted.slice(0, most).map(([value, times]) => [value, times / cells.length]);
  return { kind: "categories", values, others: sorted.length - values.length };
}

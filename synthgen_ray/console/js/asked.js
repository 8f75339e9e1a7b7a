/** What the rows of a model shall be like: conditions that each obeys, and the shares of one column's values. */

import { ApiError } from "./api.js";
import { number } from "./format.js";

/** @typedef {import("./types.js").Conditions} Conditions */
/** @typedef {import("./types.js").Scalar} Scalar */
/** @typedef {{min?: number | bigint | string, max?: number | bigint | string}} Range */
/** @typedef {{column: string, percents: {[value: string]: number}}} Shares As they are typed: they may not add up yet. */
/** @typedef {{conditions: Conditions, shares: Shares | null}} Asked */

const TOLERANCE = 1e-5;
export const END_OF_DAY = "T23:59:59.999999"; // a date alone would be its first moment

/** What stands in a request, beside the number of rows. @param {Asked} asked */
export function wishes({ conditions, shares }) {
  const distribution = shares && { [shares.column]: Object.fromEntries(Object.entries(shares.percents).map(([value, percent]) => [value, percent / 100])) };
  return { ...(Object.keys(conditions).length > 0 && { conditions }), ...(distribution && { distribution }) };
}

/** What is wrong with the shares, as a sentence; null if nothing. @param {Asked} asked @returns {string | null} */
export function fault({ shares }) {
  if (!shares) return null;
  const percents = Object.values(shares.percents);
  if (!percents.every((percent) => percent >= 0 && percent <= 100)) return "Each share is a number from 0 to 100.";
  const sum = total(shares);
  return Math.abs(sum - 100) < TOLERANCE ? null : `The shares of “${shares.column}” add up to ${number(sum)} %; they must add up to 100 %.`;
}

/** @param {Asked} asked */
export function refuseFault(asked) {
  const wrong = fault(asked);
  if (wrong) throw new ApiError(0, "shares_must_add_up", wrong);
}

/** @param {Shares} shares */
export const total = ({ percents }) => Object.values(percents).reduce((sum, percent) => sum + percent, 0);

/** The values that a column may have, none of a range. @param {Asked} asked @param {string} column @returns {Scalar[]} */
export function valuesOf({ conditions }, column) {
  const condition = own(conditions, column);
  if (condition === undefined || isRange(condition)) return [];
  return Array.isArray(condition) ? condition : [condition];
}

/** @param {Asked} asked @param {string} column @returns {Range} */
export function rangeOf({ conditions }, column) {
  const condition = own(conditions, column);
  return isRange(condition) ? condition : {};
}

/** A column may be called “constructor”. @param {Conditions} conditions @param {string} column */
const own = (conditions, column) => (Object.hasOwn(conditions, column) ? conditions[column] : undefined);

/** Or “__proto__”, to which an assignment would do something else. @param {Conditions} conditions @param {string} column @param {import("./types.js").Condition} value */
const put = (conditions, column, value) => Object.defineProperty(conditions, column, { value, enumerable: true, configurable: true, writable: true });

/** @param {unknown} condition @returns {condition is Range} */
const isRange = (condition) => typeof condition === "object" && condition !== null && !Array.isArray(condition);

/** One value more, or one less; null is a missing one. @param {Asked} asked @param {string} column @param {Scalar} value */
export function toggle(asked, column, value) {
  const chosen = valuesOf(asked, column);
  const others = chosen.filter((each) => each !== value);
  const now = others.length < chosen.length ? others : [...chosen, value];
  leave(asked, column);
  if (now.length > 0) put(asked.conditions, column, now.length === 1 ? now[0] : now);
}

/** @param {Asked} asked @param {string} column @param {Range} range One without ends asks for nothing. */
export function askRange(asked, column, range) {
  leave(asked, column);
  if (range.min !== undefined || range.max !== undefined) put(asked.conditions, column, range);
}

/** @param {Asked} asked @param {string} column @param {{[value: string]: number}} percents */
export function askShares(asked, column, percents) {
  leave(asked, column);
  asked.shares = { column, percents };
}

/** Ask nothing of a column. @param {Asked} asked @param {string} column */
export function leave(asked, column) {
  delete asked.conditions[column];
  if (asked.shares?.column === column) asked.shares = null;
}

/** What is asked of each column, in words. @param {Asked} asked @returns {[column: string, words: string][]} */
export function inWords({ conditions, shares }) {
  const told = Object.entries(conditions).map(([column, condition]) => /** @type {[string, string]} */ ([column, worded(condition)]));
  if (shares) told.push([shares.column, Object.entries(shares.percents).filter(([, percent]) => percent > 0).map(([value, percent]) => `${value} ${number(percent)} %`).join(", ")]);
  return told;
}

/** @param {import("./types.js").Condition} condition */
function worded(condition) {
  if (isRange(condition)) {
    const { min } = condition, max = condition.max?.toString().replace(END_OF_DAY, "");
    return min === undefined ? `up to ${max}` : max === undefined ? `from ${min}` : `from ${min} to ${max}`;
  }
  return condition === null ? "is missing" : `= ${[condition].flat().map((value) => value ?? "missing").join(" or ")}`;
}

/** Whole per cents, as near to the shares as they can be and together 100. @param {number[]} shares */
export function wholePercents(shares) {
  const sum = shares.reduce((a, b) => a + b, 0);
  const exact = shares.map((share) => (100 * share) / sum);
  const whole = exact.map(Math.floor);
  const byRest = exact.map((_, index) => index).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]));
  const missing = 100 - whole.reduce((a, b) => a + b, 0);
  for (const index of byRest.slice(0, missing)) whole[index] += 1;
  return whole;
}

/** JSON whose whole numbers lose no digit: those that are too long for a number of JavaScript are BigInts. */

const WHOLE = /^-?\d+$/;

/** For `JSON.parse`. @param {string} _name @param {unknown} value @param {{source?: string}} [read] */
export const exact = (_name, value, { source = "" } = {}) =>
  typeof value === "number" && !Number.isSafeInteger(value) && WHOLE.test(source) ? BigInt(source) : value;

/** For `JSON.stringify`. TypeScript does not know `rawJSON`, which came with the `source` of above. @param {string} _name @param {unknown} value */
const written = (_name, value) => (typeof value === "bigint" ? /** @type {any} */ (JSON).rawJSON(String(value)) : value);

/** @param {unknown} value @param {number} [indent] */
export const toJson = (value, indent) => JSON.stringify(value, written, indent);

/** What is typed. @param {string} text @returns {number | bigint} */
export const numberOf = (text) => (WHOLE.test(text) && !Number.isSafeInteger(Number(text)) ? BigInt(text) : Number(text));

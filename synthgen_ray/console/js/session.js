/** What this tab remembers until it is closed: the key, and what was typed but not sent. */

import { exact, toJson } from "./json.js";

const KEY = "synthgen.key";
const DRAFT = "synthgen.draft.";
const THEME = "synthgen.theme";

/** @returns {string | null} */
export const findKey = () => sessionStorage.getItem(KEY);

/** @param {string} key */
export const keepKey = (key) => sessionStorage.setItem(KEY, key);

/** The key and all drafts, which may name columns and values. */
export function forgetAll() {
  for (const name of Object.keys(sessionStorage)) {
    if (name !== THEME) sessionStorage.removeItem(name);
  }
}

/**
 * @template T
 * @param {string} name @param {T} otherwise
 * @returns {T}
 */
export function draft(name, otherwise) {
  const kept = sessionStorage.getItem(DRAFT + name);
  return kept === null ? otherwise : JSON.parse(kept, exact);
}

/** @param {string} name @param {unknown} value */
export const keepDraft = (name, value) => sessionStorage.setItem(DRAFT + name, toJson(value));

/** @param {string} name */
export const dropDraft = (name) => sessionStorage.removeItem(DRAFT + name);

/** @returns {string | null} */
export const findTheme = () => sessionStorage.getItem(THEME);

/** @param {string} theme */
export const keepTheme = (theme) => sessionStorage.setItem(THEME, theme);

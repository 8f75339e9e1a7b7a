/** Numbers, sizes, times and names as people read them. */

const whole = new Intl.NumberFormat("en");
const moments = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} value @param {number} [digits] That matter. */
export const number = (value, digits = 4) =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toLocaleString("en", { maximumSignificantDigits: digits });

/** @param {number | null | undefined} value A share from 0 to 1. @param {number} [digits] */
export const percent = (value, digits = 0) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`;

/** @param {number} many @param {string} one */
export const several = (many, one) => `${count(many)} ${many === 1 ? one : `${one}s`}`;

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
  return `${(bytes / 1000 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds > 0 && seconds < 1) return "< 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** How far a job is. @param {{status?: string, cancelled?: boolean, progress: number, message: string, eta_seconds: number | null}} job */
export function howFar({ status, cancelled, progress, message, eta_seconds: seconds }) {
  if (status === "pending") return `${words(message || "waiting for a free place")}.`;
  if (status === "failed") return cancelled ? "Cancelled" : "It failed.";
  return [percent(progress), message, seconds !== null && `about ${duration(seconds)} left`].filter(Boolean).join(" · ");
}

/** @param {string} iso */
export const moment = (iso) => moments.format(new Date(iso));

const times = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

/** @param {Date} date */
export const time = (date) => times.format(date);

/** @param {string} name `batch_size` */
export function words(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** A text of the server without the marks that set names off. @param {string} text */
export const plain = (text) => text.replaceAll("`", "");

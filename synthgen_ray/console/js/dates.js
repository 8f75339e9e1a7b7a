/** Dates as tables write them, by their column's format: directives of strftime, as `datasets/date_formats.py` has them. */

// A second and its fraction may be missing from single values.
const TOKENS = /:%S|\.%\d?f|%[-^]?([A-Za-z])|\W/g;
/** @type {{[letter: string]: string}} */
const FIELDS = {
  Y: "(?<year>\\d{4})", y: "(?<year>\\d{2})", m: "(?<month>\\d{1,2})", b: "(?<month>[a-z]+)", B: "(?<month>[a-z]+)", d: "(?<day>\\d{1,2})",
  H: "(?<hour>\\d{1,2})", I: "(?<hour>\\d{1,2})", M: "(?<minute>\\d{2})", S: "(?<second>\\d{2})", p: "(?<half>[ap])m", P: "(?<half>[ap])m",
  z: " ?(?:Z|UTC|GMT|[+-][\\d:]+)?",
};
const ISO = /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[T ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d))?.*)?$/;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const CENTURY = 69; // as strptime has it: 69 is 1969, 68 is 2068

/** @param {string} format */
const patternOf = (format) => new RegExp(`^${format.replace(TOKENS, (token, letter) =>
  token === ":%S" ? "(?::(?<second>\\d{2}))?" : token[0] === "." && token.length > 1 ? "(?:\\.\\d+)?" : letter ? FIELDS[letter] : `\\${token}`)}$`, "i");

/**
 * @param {string | null} format Null is ISO 8601.
 * @returns {(text: string) => number} In milliseconds of the time that is written, whatever its zone; NaN for what has no year.
 */
export function momentReader(format) {
  const pattern = format ? patternOf(format) : ISO;
  return (text) => {
    const found = pattern.exec(text)?.groups;
    if (!found?.year) return NaN;
    const { year, month, day = 1, hour = 0, minute = 0, second = 0, half } = /** @type {{[part: string]: any}} */ (found);
    const century = year.length > 2 ? 0 : Number(year) < CENTURY ? 2000 : 1900;
    const place = MONTHS.indexOf(month.slice(0, 3).toLowerCase());
    const hours = half ? (Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0) : Number(hour);
    return Date.UTC(Number(year) + century, place < 0 ? Number(month) - 1 : place, Number(day), hours, Number(minute), Number(second));
  };
}

/** Reads the head of a CSV as the server writes it: RFC 4180, with a header. */

/** @param {string} text @param {boolean} isWhole Without, a last line that may be cut is left out. @returns {string[][]} */
export function parseCsv(text, isWhole) {
  /** @type {string[][]} */
  const lines = [];
  /** @type {string[]} */
  let cells = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') cell += text[at++];
      else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") {
      cells.push(cell);
      cell = "";
    } else if (sign === "\n") {
      lines.push([...cells, cell.replace(/\r$/, "")]);
      cells = [];
      cell = "";
    } else cell += sign;
  }
  if (isWhole && (cell !== "" || cells.length)) lines.push([...cells, cell]);
  return lines;
}

/** Reads the head of a CSV as the server writes it: RFC 4180, with a header. */

/** @typedef {string | null} Cell null is missing: nothing, where an empty text is a pair of quotes. */

/** @param {string} text @param {boolean} isWhole Without, a last line that may be cut is left out. @returns {Cell[][]} */
export function parseCsv(text, isWhole) {
  /** @type {Cell[][]} */
  const lines = [];
  /** @type {Cell[]} */
  let cells = [];
  let cell = "";
  let quoted = false;
  let wasQuoted = false;
  function endCell() {
    cells.push(cell === "" && !wasQuoted ? null : cell);
    cell = "";
    wasQuoted = false;
  }
  function endLine() {
    endCell();
    lines.push(cells.length > 1 ? cells : [cells[0] || null]); // a lone cell is in quotes when it is missing, too
    cells = [];
  }
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') cell += text[at++];
      else quoted = false;
    } else if (sign === '"') quoted = wasQuoted = true;
    else if (sign === ",") endCell();
    else if (sign === "\n") {
      cell = cell.replace(/\r$/, "");
      endLine();
    } else cell += sign;
  }
  if (isWhole && (cell !== "" || wasQuoted || cells.length)) endLine();
  return lines;
}

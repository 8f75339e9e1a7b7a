/** A call as a command for a shell. The key stays out of it: it stands in a variable of the reader's shell. */

import { toJson } from "./json.js";

/** @param {string} text One word of a shell, whatever is in it. */
const word = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {string} name As curl's `-F` reads it. */
const fileName = (name) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** @param {import("./types.js").Call} call @param {string} origin Of the server: `http://localhost:8888`. */
export function curlCommand({ method, path, json, form = {}, to }, origin) {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${word(origin + path)}`];
  lines.push('-H "Authorization: Bearer $SYNTHGEN_API_KEY"');
  if (json !== undefined) lines.push(`--json ${word(toJson(json))}`);
  for (const [name, value] of Object.entries(form)) {
    // `-F` would read a text that begins with @ or < from a file.
    lines.push(typeof value === "string" ? `--form-string ${word(`${name}=${value}`)}` : `-F ${word(`${name}=@${fileName(value.name)}`)}`);
  }
  if (to) lines.push(`-o ${word(to)}`);
  return lines.join(" \\\n  ");
}

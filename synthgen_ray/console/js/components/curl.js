/** The command of an action, to copy. The key stays out of it: it stands in a variable of the reader's shell. */

import { h } from "../dom.js";
import { notify } from "./notices.js";

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * @param {string} method @param {string} path
 * @param {{json?: unknown, form?: {[name: string]: string}, to?: string, accept?: string}} [sent]
 */
export function curlCommand(method, path, sent = {}) {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(location.origin + path)}`];
  lines.push(`-H "Authorization: Bearer $SYNTHGEN_KEY"`);
  if (sent.accept) lines.push(`-H ${quoted(`Accept: ${sent.accept}`)}`);
  if (sent.json !== undefined) lines.push(`--json ${quoted(JSON.stringify(sent.json))}`);
  for (const [name, value] of Object.entries(sent.form ?? {})) lines.push(`-F ${quoted(`${name}=${value}`)}`);
  if (sent.to) lines.push(`-o ${quoted(sent.to)}`);
  return lines.join(" \\\n  ");
}

/** @param {() => string} command As it is when it is looked at. */
export function curl(command) {
  const shown = h("pre", { tabindex: "0", "aria-label": "The command" });
  const copy = h("button", { class: "button plain", type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(command());
      notify("The command is copied.");
    } catch {
      notify("The browser did not let the page copy; mark the command and copy it yourself.");
    }
  } }, "Copy");
  const details = h("details", { class: "curl" }, h("summary", {}, "As a curl command"), shown, copy);
  details.addEventListener("toggle", () => (shown.textContent = command()));
  return details;
}

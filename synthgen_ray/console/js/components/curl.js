/** The command of an action, to copy. */

import { curlCommand } from "../curl_command.js";
import { h } from "../dom.js";

/**
 * @param {() => import("../types.js").Call} call As it is when it is looked at. @param {string} of What it does, for who does not see the button.
 * @param {string} [text]
 */
export function curl(call, of, text = "As a curl command") {
  const command = () => curlCommand(call(), location.origin);
  const shown = h("pre", { tabindex: "0", "aria-label": "The command" });
  const told = h("span", { class: "quiet", role: "status" });
  const copy = h("button", { class: "button plain", type: "button", onclick: async () => {
    shown.textContent = command();
    try {
      await navigator.clipboard.writeText(command());
      told.textContent = "Copied.";
    } catch {
      told.textContent = "The browser did not let the page copy; mark the command and copy it yourself.";
    }
  } }, "Copy");
  const details = h("details", { class: "curl" }, h("summary", {}, text, h("span", { class: "sr-only" }, `: ${of}`)),
    shown, h("div", { class: "row" }, copy, told));
  details.addEventListener("toggle", () => {
    shown.textContent = command();
    told.textContent = "";
  });
  return details;
}

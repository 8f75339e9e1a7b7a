/** Asks for the key; it is kept in this tab alone. */

import { submit } from "../components/action.js";
import { field } from "../components/fields.js";
import { h } from "../dom.js";
import { send } from "../api.js";
import { forgetAll, keepKey } from "../session.js";

/** @param {() => void} onOpen @param {string} [why] Why the last one is no longer there. */
export function keyView(onOpen, why) {
  const key = h("input", {
    type: "password", name: "key", autocomplete: "off", required: true, spellcheck: "false",
    pattern: "\\s*[!-~]+\\s*", title: "A key is letters, digits and signs, such as sg_5mYVb0w8.", // no header holds other characters
  });
  const { button, place, onsubmit } = submit("Open", () => ({ method: "GET", path: "/api/projects?limit=1" }), async (call) => {
    keepKey(key.value.trim());
    try {
      await send(call);
    } catch (error) {
      forgetAll();
      throw error;
    }
    onOpen();
  });
  return h("div", { class: "narrow stack-l" },
    h("div", { class: "stack-s" },
      h("h1", { tabindex: "-1" }, "Synthetic rows, from a table of yours"),
      h("p", { class: "quiet" }, "Upload a table, train a model on it, and download rows that behave like the real ones.")),
    h("form", { class: "card stack", onsubmit },
      why && h("p", { class: "warning", role: "alert" }, why),
      field("API key", key, "It stays in this tab and is forgotten when you close it."),
      place, h("div", {}, button)),
    h("p", { class: "small quiet" }, "The server keeps its first key in ", h("code", {}, "admin_key"),
      " in its data directory. ", h("code", {}, "synthgen keys create"), " makes more."));
}

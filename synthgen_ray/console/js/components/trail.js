/** Where the page is, at the top of it. */

import { byId, fill, h } from "../dom.js";

/** @param {...[string, string?]} steps Texts, with the addresses of those that are links. */
export function trail(...steps) {
  fill(byId("trail"), steps.length > 0 && h("ol", {}, ...steps.map(([text, address]) =>
    h("li", {}, address ? h("a", { href: address, title: text }, text) : h("span", { "aria-current": "page", title: text }, text)))));
}

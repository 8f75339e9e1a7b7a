/**
 * A report as the page that it is, in a tab of its own. It is fetched with the key of the session, which the tab has from the
 * one that opened it, and stands in a frame where no script runs.
 */

import { ApiError, fetchFile } from "./api.js";
import { problem } from "./components/problem.js";
import { byId, fill, h } from "./dom.js";
import { findKey } from "./session.js";

const ID = /^#([0-9a-f-]{36})$/;

async function show() {
  const id = ID.exec(location.hash)?.[1];
  if (!id) return tell("Which report?", h("p", {}, "The address names none. The console lists those of each model."), "/", "To the console");
  if (!findKey()) return askForKey(id);
  try {
    present(id, await (await fetchFile({ method: "GET", path: `/api/reports/${id}/download` })).blob());
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return askForKey(id);
    tell("That did not work", problem(error), `/#/reports/${id}`, "To the report in the console");
    if (!(error instanceof ApiError)) throw error;
  }
}

/** @param {string} id */
const askForKey = (id) => tell("A report needs a key",
  h("p", {}, "This tab has none. Open the report in the console, which asks for the key, and choose “Open the whole report” there."),
  `/#/reports/${id}`, "To the report in the console");

/** @param {string} title @param {Node} body @param {string} href @param {string} text */
function tell(title, body, href, text) {
  fill(byId("actions"));
  fill(byId("content"), h("div", { class: "stack" }, h("h1", {}, title), body, h("p", {}, h("a", { class: "button primary", href }, text))));
}

/** @param {string} id @param {Blob} page */
function present(id, page) {
  // The same origin, so that this page can have it printed; without “allow-scripts” nothing of it runs.
  const frame = h("iframe", { title: "The report", sandbox: "allow-same-origin allow-modals", src: URL.createObjectURL(page) });
  frame.addEventListener("load", () => (document.title = `${frame.contentDocument?.title || "Report"} · SynthGen`));
  window.onbeforeprint = () => {
    frame.className = "on-paper";
    frame.style.height = `${frame.contentDocument?.documentElement.scrollHeight}px`;
  };
  window.onafterprint = () => {
    frame.className = "";
    frame.style.height = "";
  };
  fill(byId("actions"),
    h("button", { class: "button plain", type: "button", onclick: () => frame.contentWindow?.print() }, "Print"),
    h("a", { class: "button plain", href: `/#/reports/${id}` }, "In the console"));
  fill(byId("content"), frame);
}

window.addEventListener("hashchange", show);
show();

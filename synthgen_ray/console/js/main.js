/** Shows the view of the address. The only place where an error becomes a page. */

import { ApiError } from "./api.js";
import { problem } from "./components/problem.js";
import { byId, fill, h } from "./dom.js";
import { router } from "./router.js";
import { findKey, findTheme, forgetAll, keepTheme } from "./session.js";
import { trail } from "./components/trail.js";
import { datasetView } from "./views/dataset.js";
import { keyView } from "./views/key.js";
import { modelView } from "./views/model.js";
import { projectView } from "./views/project.js";
import { projectsView } from "./views/projects.js";
import { reportView } from "./views/report.js";
import { trainView } from "./views/train.js";
import { jobView } from "./views/job.js";
import { statusView } from "./views/status.js";

const find = router({
  "/": projectsView,
  "/projects/:id": projectView("data"),
  "/projects/:id/models": projectView("models"),
  "/projects/:id/jobs": projectView("jobs"),
  "/datasets/:id": datasetView,
  "/datasets/:id/train": trainView,
  "/models/:id": modelView,
  "/jobs/:id": jobView,
  "/reports/:id": reportView,
  "/status": statusView,
});

const STATUS = "#/status";
const content = byId("content");
let visit = new AbortController();

/** @param {string} [why] What to say above the field for the key. */
async function show(why) {
  visit.abort();
  visit = new AbortController();
  const { signal } = visit;
  showAccount();
  if (!findKey()) {
    trail();
    present(keyView(() => show(), why));
    return;
  }
  const found = find(location.hash);
  content.setAttribute("aria-busy", "true");
  try {
    if (!found) throw new ApiError(404, "not_found", "There is no such page here. The projects are a good place to start.");
    const page = await found.view({ params: found.params, query: found.query, signal });
    if (!signal.aborted) present(page);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) {
      forgetAll();
      await show(`${error.message} Paste another one to go on where you were.`);
      return;
    }
    present(h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, "That did not work"), problem(error), home()));
    if (!(error instanceof ApiError)) throw error;
  } finally {
    content.removeAttribute("aria-busy");
  }
}

const home = () => h("p", {}, h("a", { class: "button", href: "#/" }, "To the projects"));

/** @param {Node} page */
function present(page) {
  fill(content, page);
  const title = content.querySelector("h1");
  document.title = title ? `${title.textContent} · SynthGen` : "SynthGen";
  if (title && document.activeElement === document.body) title.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function showAccount() {
  const isDark = () => (findTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const theme = h("button", { class: "button plain", type: "button", onclick: () => {
    keepTheme(isDark() ? "light" : "dark");
    showTheme();
    showAccount();
  } }, isDark() ? "Light" : "Dark");
  const leave = h("button", { class: "button plain", type: "button", onclick: () => {
    forgetAll();
    show();
  } }, "Forget key");
  const isThere = location.hash === STATUS && "page";
  const status = h("a", { class: "button plain", href: STATUS, "aria-current": isThere }, "Status");
  fill(byId("account"), findKey() && status, theme, findKey() && leave);
}

function showTheme() {
  const theme = findTheme();
  if (theme) document.documentElement.dataset.theme = theme;
}

showTheme();
window.addEventListener("hashchange", () => {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  show();
});
show();

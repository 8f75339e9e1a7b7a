/** A project: its tables, its models, its jobs. */

import { get } from "../api.js";
import { deletion } from "../components/deletion.js";
import { trail } from "../components/trail.js";
import { h } from "../dom.js";
import { count, duration, size } from "../format.js";
import { dataTab } from "./data_tab.js";
import { jobsTab } from "./jobs_tab.js";
import { modelsTab } from "./models_tab.js";

/** @typedef {import("../types.js").Project} Project */
/** @typedef {{project: Project, signal: AbortSignal, query: URLSearchParams}} Tab */
/** @typedef {"data" | "models" | "jobs"} TabName */

const TABS = { data: dataTab, models: modelsTab, jobs: jobsTab };
const NAMES = { data: "Data", models: "Models", jobs: "Jobs" };

/** @param {TabName} chosen @returns {import("../router.js").View} */
export const projectView = (chosen) => async ({ params: [id], query, signal }) => {
  const path = `/api/projects/${id}`;
  const [project, usage] = await Promise.all([get(path, signal), get(`${path}/usage`, signal)]);
  const tab = await TABS[chosen]({ project, query, signal });
  trail(["Projects", "#/"], [project.name]);
  return h("div", { class: "stack-l" },
    h("div", { class: "head" },
      h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, project.name),
        project.description && h("p", { class: "quiet" }, project.description)),
      facts(usage)),
    h("nav", { class: "tabs", "aria-label": "Of the project" }, ...Object.entries(NAMES).map(([name, text]) =>
      h("a", { href: `#/projects/${id}${name === "data" ? "" : `/${name}`}`, "aria-current": name === chosen && "page" }, text))),
    tab,
    chosen === "data" && removal(project));
};

/** @param {import("../types.js").Usage} usage */
const facts = (usage) => h("dl", { class: "facts" },
  h("div", {}, h("dt", {}, "Rows generated"), h("dd", {}, count(usage.generated_rows))),
  h("div", {}, h("dt", {}, "Training"), h("dd", {}, duration(usage.training_seconds))),
  h("div", {}, h("dt", {}, "Stored"), h("dd", {}, size(usage.storage_bytes))));

/** @param {Project} project */
function removal(project) {
  const { button, place } = deletion("project", project.name, `/api/projects/${project.id}?force=true`,
    "Its tables, models, jobs and their files are gone for good.", () => "#/");
  return h("div", { class: "stack-s" }, h("div", {}, button), place);
}

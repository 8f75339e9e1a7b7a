/** The jobs of a project, by status. */

import { get } from "../api.js";
import { cancellation } from "../components/cancellation.js";
import { notify } from "../components/notices.js";
import { searchable } from "../components/search.js";
import { badge } from "../components/status.js";
import { h } from "../dom.js";
import { moment, words } from "../format.js";

/** @typedef {import("../types.js").JobItem} JobItem */

const STATUSES = ["pending", "running", "completed", "failed"];

/** @param {import("./project.js").Tab} tab */
export async function jobsTab({ project, query, signal }) {
  const status = STATUSES.find((name) => name === query.get("status"));
  /** @type {import("../types.js").Listed<JobItem>} */
  const jobs = await get(`/api/synthgen/jobs?project_id=${project.id}&limit=500${status ? `&status=${status}` : ""}`, signal);
  const address = `#/projects/${project.id}/jobs`;
  const filter = h("nav", { class: "row", "aria-label": "Only with a status" },
    h("a", { href: address, class: "button plain", "aria-current": !status && "true" }, "All"),
    ...STATUSES.map((name) => h("a", { href: `${address}?status=${name}`, class: "button plain", "aria-current": name === status && "true" }, words(name))));
  const list = jobs.total > 0
    ? searchable("jobs", jobs.items, (job) => `${job.model_name} ${job.job_type} ${job.status}`, (items) => h("ul", { class: "list" }, ...items.map(line)))
    : h("div", { class: "empty" }, h("h2", {}, status ? `No ${status} job` : "No job yet"), h("p", {}, "Each training, generation and report is a job; they are listed here."));
  return h("div", { class: "stack" }, filter, list);
}

/** @param {JobItem} job */
function line(job) {
  const isOpen = job.status === "pending" || job.status === "running";
  const shown = badge(job.status);
  const { button, place, command } = cancellation("Cancel", job.id, () => {
    notify("The job is cancelled.");
    shown.replaceWith(badge("failed", "cancelled"));
    button.remove();
    command.remove();
  }, "plain");
  return h("li", {},
    h("div", { class: "main" }, h("a", { href: `#/jobs/${job.id}` }, `${words(job.job_type)}: ${job.model_name}`),
      h("p", { class: "small quiet" }, moment(job.created_at))),
    shown, isOpen && button, isOpen && command, place);
}

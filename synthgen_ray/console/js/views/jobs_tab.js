/** The jobs of a project, by status. */

import { get } from "../api.js";
import { cancellation } from "../components/cancellation.js";
import { lines } from "../components/lines.js";
import { notify } from "../components/notices.js";
import { searchable } from "../components/search.js";
import { badge } from "../components/status.js";
import { fill, h } from "../dom.js";
import { moment, words } from "../format.js";
import { poll } from "../polling.js";

/** @typedef {import("../types.js").JobItem} JobItem */

const STATUSES = ["pending", "running", "completed", "failed"];

/** @param {JobItem} job */
const statusOf = (job) => (job.error?.code === "cancelled" ? "cancelled" : job.status);

/** @param {JobItem} job */
const isOpen = (job) => job.status === "pending" || job.status === "running";

/** @param {import("./project.js").Tab} tab */
export async function jobsTab({ project, query, signal }) {
  const status = STATUSES.find((name) => name === query.get("status"));
  /** @returns {Promise<import("../types.js").Listed<JobItem>>} */
  const look = () => get(`/api/synthgen/jobs?project_id=${project.id}&limit=500${status ? `&status=${status}` : ""}`, signal);
  const address = `#/projects/${project.id}/jobs`;
  const filter = h("nav", { class: "row", "aria-label": "Only with a status" },
    h("a", { href: address, class: "button plain", "aria-current": !status && "true" }, "All"),
    ...STATUSES.map((name) => h("a", { href: `${address}?status=${name}`, class: "button plain", "aria-current": name === status && "true" }, words(name))));
  const empty = h("div", { class: "empty" }, h("h2", {}, status ? `No ${status} job` : "No job yet"), h("p", {}, "Each training, generation and report is a job; they are listed here."));
  const jobs = await look();
  const list = searchable("jobs", jobs, (job) => `${job.model_name} ${job.job_type} ${statusOf(job)}`, lines(line), empty);
  poll(jobs, ({ items }) => items.some(isOpen), look, list.show, signal);
  return h("div", { class: "stack" }, filter, list.element);
}

/** @param {JobItem} job @returns {import("../components/lines.js").Line<JobItem>} */
function line(job) {
  const link = h("a", { href: `#/jobs/${job.id}` }, `${words(job.job_type)}: ${job.model_name}`);
  const status = h("span");
  const { button, place, command } = cancellation("Cancel", job.id, () => {
    notify("The job is cancelled.");
    end("cancelled");
  }, "plain");
  const element = h("li", {}, h("div", { class: "main" }, link, h("p", { class: "small quiet" }, moment(job.created_at))), status, button, command, place);

  /** @param {string} text */
  function end(text) {
    if (element.contains(document.activeElement)) link.focus({ preventScroll: true });
    button.remove();
    command.remove();
    fill(status, badge(text));
  }
  /** @param {JobItem} now */
  function show(now) {
    if (isOpen(now)) fill(status, badge(now.status));
    else end(statusOf(now));
  }
  show(job);
  return { element, show };
}

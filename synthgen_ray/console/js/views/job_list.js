/** The jobs of a model, newest first. */

import { badge } from "../components/status.js";
import { h } from "../dom.js";
import { moment, words } from "../format.js";

/** @param {import("../types.js").ModelJob[]} jobs */
export const jobList = (jobs) => h("section", { class: "stack" }, h("h2", {}, "Its jobs"),
  h("ul", { class: "list" }, ...jobs.map((job) => h("li", {},
    h("div", { class: "main" }, h("a", { href: `#/jobs/${job.id}` }, words(job.job_type))),
    h("span", { class: "small quiet" }, moment(job.created_at)), badge(job.status)))));

/** A job by itself. */

import { get } from "../api.js";
import { failure } from "../components/failure.js";
import { badge } from "../components/status.js";
import { trail } from "../components/trail.js";
import { fill, h } from "../dom.js";
import { moment, words } from "../format.js";
import { exact, toJson } from "../json.js";
import { typeNames } from "../model_types.js";
import { go } from "../router.js";
import { generationProgress } from "./generation_progress.js";
import { trainingPanel } from "./training_panel.js";

/** @typedef {import("../types.js").Job} Job */

/** @type {import("../router.js").View} */
export async function jobView({ params: [id], signal }) {
  /** @type {[Job, (id: string) => string]} */
  const [job, typeName] = await Promise.all([get(`/api/synthgen/jobs/${id}`, signal, exact), typeNames(signal)]);
  const { model } = await get(`/api/synthgen/models/${job.model_id}`, signal);
  trail(["Projects", "#/"], [job.project_name, `#/projects/${model.project_id}`], ["Jobs", `#/projects/${model.project_id}/jobs`], [words(job.job_type)]);
  const status = h("span", {}, badgeOf(job));
  return h("div", { class: "stack-l" },
    h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, `${words(job.job_type)}: ${job.model_name}`),
      h("p", { class: "quiet row" }, status, `${typeName(job.model_type)} · asked for ${moment(job.created_at)}`)),
    body(job, signal, (now) => fill(status, badgeOf(now))),
    h("details", { class: "more" }, h("summary", {}, "What was asked for"), h("pre", {}, toJson(job.config, 2))),
    h("p", {}, h("a", { class: "button", href: `#/models/${job.model_id}` }, "To the model")));
}

/** @param {Job} job */
const badgeOf = (job) => badge(job.cancelled ? "cancelled" : job.status);

/** @param {Job} job @param {AbortSignal} signal @param {(job: Job) => void} onChange */
function body(job, signal, onChange) {
  if (job.job_type === "report") return h("p", {}, h("a", { class: "button primary", href: `#/reports/${job.id}` }, "Open the report"));
  if (job.status === "failed") return failure(job);
  if (job.job_type === "train") {
    if (job.status === "completed") return h("p", {}, `Ended ${moment(job.finished_at ?? job.created_at)}. The model is ready.`);
    return trainingPanel(job.id, signal, (now) => {
      onChange(now);
      if (now.status === "completed") go(`#/models/${job.model_id}`);
    });
  }
  return h("div", { class: "card" }, generationProgress(job.id, signal, onChange));
}

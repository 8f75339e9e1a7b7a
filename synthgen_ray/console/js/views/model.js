/** A model: its training while it learns, then all that can be made of it. */

import { get } from "../api.js";
import { action } from "../components/action.js";
import { deletionOfModel } from "../components/deletion.js";
import { notify } from "../components/notices.js";
import { badge } from "../components/status.js";
import { trail } from "../components/trail.js";
import { fill, h } from "../dom.js";
import { moment, percent } from "../format.js";
import { typeNames } from "../model_types.js";
import { save } from "../saving.js";
import { generatePanel } from "./generate_panel.js";
import { jobList } from "./job_list.js";
import { reportsPanel } from "./reports_panel.js";
import { samplePanel } from "./sample_panel.js";
import { trainingPanel } from "./training_panel.js";

/** @typedef {import("../types.js").Model} Model */
/** @typedef {import("../types.js").ModelJob} ModelJob */
/** @typedef {import("../types.js").Job} Job */

/** @type {import("../router.js").View} */
export async function modelView(visit) {
  const { params: [id], signal } = visit;
  /** @type {[{model: Model, jobs: ModelJob[]}, (id: string) => string]} */
  const [{ model, jobs }, typeName] = await Promise.all([get(`/api/synthgen/models/${id}`, signal), typeNames(signal)]);
  const project = await get(`/api/projects/${model.project_id}`, signal);
  trail(["Projects", "#/"], [project.name, `#/projects/${project.id}`], ["Models", `#/projects/${project.id}/models`], [model.name]);
  const place = h("div", { class: "stack-l" });
  const training = jobs.find((job) => job.job_type === "train");
  const status = h("span", {}, badge(model.status));
  /** @param {Job} job */
  const onChange = async (job) => {
    fill(status, badge(job.status === "running" ? "training" : job.status));
    if (job.status === "completed" && !signal.aborted) fill(place, await modelView(visit));
  };
  const page = h("div", { class: "stack-l" }, head(model, typeName(model.model_type), status),
    model.status === "ready" ? await ready(model, jobs, signal) : training && trainingPanel(training.id, signal, onChange),
    footer(model));
  fill(place, page);
  return place;
}

/** @param {Model} model @param {string} type @param {HTMLElement} status */
function head(model, type, status) {
  const from = model.dataset_id
    ? h("a", { href: `#/datasets/${model.dataset_id}?version=${model.dataset_version}` }, `${model.dataset_name} version ${model.dataset_version}`)
    : "another server";
  return h("div", { class: "head" },
    h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, model.name),
      h("p", { class: "quiet row" }, status, h("span", {}, `${type} of `, from, ` · ${moment(model.created_at)}`))),
    model.quality && h("dl", { class: "facts" },
      h("div", {}, h("dt", {}, "Column shapes"), h("dd", {}, percent(model.quality.column_shapes, 1))),
      h("div", {}, h("dt", {}, "Pair trends"), h("dd", {}, percent(model.quality.pair_trends, 1)))));
}

/** @param {Model} model @param {ModelJob[]} jobs @param {AbortSignal} signal */
async function ready(model, jobs, signal) {
  const columns = model.dataset_id
    ? (await get(`/api/datasets/${model.dataset_id}/columns?version=${model.dataset_version}`, signal)).columns
    : [];
  /** @type {import("../asked.js").Asked} */
  const asked = { conditions: {}, shares: null };
  return h("div", { class: "stack-l" }, samplePanel(model, columns, asked, signal), generatePanel(model, asked, signal),
    await reportsPanel(model, signal), jobs.length > 0 && jobList(jobs));
}

/** What can be done with all of it. @param {Model} model */
function footer(model) {
  /** @type {import("../types.js").Call} */
  const call = { method: "GET", path: `/api/synthgen/models/${model.id}/export`, to: "model.synthgen" };
  const exported = action("Export the model", () => call, async () => notify(`Saved ${await save(call, () => {})}.`));
  const removal = deletionOfModel(model, () => `#/projects/${model.project_id}/models`);
  const isReady = model.status === "ready";
  return h("div", { class: "row" }, isReady && exported.button, isReady && exported.command,
    model.dataset_id && h("a", { class: "button", href: `#/datasets/${model.dataset_id}/train?version=${model.dataset_version}` }, "Train another"),
    removal.button, exported.place, removal.place);
}

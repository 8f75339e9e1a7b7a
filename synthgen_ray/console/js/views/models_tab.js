/** The models of a project. */

import { get } from "../api.js";
import { deletionOfModel } from "../components/deletion.js";
import { searchable } from "../components/search.js";
import { badge } from "../components/status.js";
import { h } from "../dom.js";
import { moment, typeName } from "../format.js";

/** @typedef {import("../types.js").ModelItem} ModelItem */

/** @param {import("./project.js").Tab} tab */
export async function modelsTab({ project, signal }) {
  /** @type {import("../types.js").Listed<ModelItem>} */
  const models = await get(`/api/synthgen/models?project_id=${project.id}&limit=500`, signal);
  if (models.total === 0) {
    return h("div", { class: "empty stack" }, h("h2", {}, "No model yet"), h("p", {}, "Choose a table, then train a model on it."),
      h("p", {}, h("a", { class: "button primary", href: `#/projects/${project.id}` }, "To the tables")));
  }
  return searchable("models", models.items, (model) => `${model.name} ${model.status} ${typeName(model.model_type)} ${model.dataset_name}`, (items) =>
    h("ul", { class: "list" }, ...items.map(line)));
}

/** @param {ModelItem} model */
function line(model) {
  const item = h("li");
  const { button, place } = deletionOfModel(model, () => item.remove(), "plain danger");
  item.append(
    h("div", { class: "main" }, h("a", { href: `#/models/${model.id}` }, model.name),
      h("p", { class: "small quiet" }, `${typeName(model.model_type)} · ${model.dataset_name ? `${model.dataset_name} version ${model.dataset_version}` : "imported"} · ${moment(model.created_at)}`)),
    badge(model.status), button, place);
  return item;
}

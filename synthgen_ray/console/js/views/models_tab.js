/** The models of a project. */

import { get } from "../api.js";
import { deletionOfModel } from "../components/deletion.js";
import { lines } from "../components/lines.js";
import { searchable } from "../components/search.js";
import { badge } from "../components/status.js";
import { fill, h } from "../dom.js";
import { moment } from "../format.js";
import { typeNames } from "../model_types.js";
import { poll } from "../polling.js";

/** @typedef {import("../types.js").ModelItem} ModelItem */
/** @typedef {import("../types.js").Listed<ModelItem>} Models */

/** @param {ModelItem} model */
const isOpen = (model) => model.status === "pending" || model.status === "training";

/** @param {import("./project.js").Tab} tab */
export async function modelsTab({ project, signal }) {
  /** @returns {Promise<Models>} */
  const look = () => get(`/api/synthgen/models?project_id=${project.id}&limit=500`, signal);
  const empty = h("div", { class: "empty stack" }, h("h2", {}, "No model yet"), h("p", {}, "Choose a table, then train a model on it."),
    h("p", {}, h("a", { class: "button primary", href: `#/projects/${project.id}` }, "To the tables")));
  let [models, typeName] = await Promise.all([look(), typeNames(signal)]);
  /** @param {Models} now */
  function show(now) {
    models = now;
    list.show(now);
  }
  const lineOf = (/** @type {ModelItem} */ model) => line(model, typeName(model.model_type), () => show(without(models, model.id)));
  const list = searchable("models", models, (model) => `${model.name} ${model.status} ${typeName(model.model_type)} ${model.dataset_name}`, lines(lineOf), empty);
  poll(models, ({ items }) => items.some(isOpen), look, show, signal);
  return list.element;
}

/** @param {Models} models @param {string} id @returns {Models} */
const without = ({ items, total }, id) => ({ items: items.filter((model) => model.id !== id), total: total - 1 });

/** @param {ModelItem} model @param {string} type @param {() => void} onDeleted @returns {import("../components/lines.js").Line<ModelItem>} */
function line(model, type, onDeleted) {
  const status = h("span", {}, badge(model.status));
  const { button, place } = deletionOfModel(model, onDeleted, "plain danger");
  const element = h("li", {},
    h("div", { class: "main" }, h("a", { href: `#/models/${model.id}` }, model.name),
      h("p", { class: "small quiet" }, `${type} · ${model.dataset_name ? `${model.dataset_name} version ${model.dataset_version}` : "imported"} · ${moment(model.created_at)}`)),
    status, button, place);
  return { element, show: (now) => fill(status, badge(now.status)) };
}

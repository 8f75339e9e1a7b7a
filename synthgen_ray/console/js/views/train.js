/** Which model is to learn a table, and how. */

import { get, send } from "../api.js";
import { submit } from "../components/action.js";
import { field } from "../components/fields.js";
import { trail } from "../components/trail.js";
import { fill, h } from "../dom.js";
import { count, duration, several } from "../format.js";
import { modelTypes } from "../model_types.js";
import { optionField } from "../options.js";
import { draft, dropDraft, keepDraft } from "../session.js";

/** @typedef {import("../types.js").ModelType} ModelType */
/** @typedef {{type: string, name: string, config: {[name: string]: unknown}}} Draft */

const FIRST = ["epochs", "batch_size", "seed"];
// Rows that one core of the README's machine learns in a second, epoch by epoch; the copula looks at each once.
/** @type {{[type: string]: number}} */
const ROWS_PER_SECOND = { ctgan: 16_000, copulagan: 16_000, tvae: 60_000, gaussian_copula: 300_000 };
const AT_LEAST_S = 1;

/** @type {import("../router.js").View} */
export async function trainView({ params: [id], query, signal }) {
  /** @type {[import("../types.js").Dataset, ModelType[]]} */
  const [dataset, types] = await Promise.all([get(`/api/datasets/${id}`, signal), modelTypes(signal)]);
  const number = Number(query.get("version") ?? dataset.version);
  /** @type {[import("../types.js").Project, import("../types.js").Version]} */
  const [project, version] = await Promise.all([
    get(`/api/projects/${dataset.project_id}`, signal), get(`/api/datasets/${id}/versions/${number}`, signal)]);
  trail(["Projects", "#/"], [project.name, `#/projects/${project.id}`], [dataset.name, `#/datasets/${id}?version=${number}`], ["Train"]);
  return h("div", { class: "stack-l" },
    h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, "Train a model"),
      h("p", { class: "quiet tabular" }, `It learns “${dataset.name}”, version ${number}: ${count(version.num_rows)} rows × ${several(version.num_columns, "column")}.`)),
    form(dataset, version, types));
}

/** @param {import("../types.js").Dataset} dataset @param {import("../types.js").Version} version @param {ModelType[]} types */
function form(dataset, version, types) {
  const draftName = `train.${dataset.id}`;
  /** @type {Draft} */
  const chosen = draft(draftName, { type: "gaussian_copula", name: dataset.name, config: {} });
  const name = h("input", { required: true, maxlength: 255, value: chosen.name });
  const options = h("div", { class: "stack" });
  /** @type {{[name: string]: () => unknown}} */
  let readers = {};

  const config = () => Object.fromEntries(Object.entries(readers).map(([option, read]) => [option, read()]).filter(([, value]) => value !== undefined));
  const body = () => ({
    project_id: dataset.project_id, dataset_version_id: version.id, name: name.value, model_type: chosen.type, config: config(),
  });

  function showOptions() {
    const { properties } = /** @type {ModelType} */ (types.find((type) => type.id === chosen.type)).config_schema;
    const asked = Object.entries(properties).map(([option, schema]) => /** @type {const} */ ([option, optionField(option, schema, chosen.config[option])]));
    readers = Object.fromEntries(asked.map(([option, { read }]) => [option, read]));
    const isFirst = (/** @type {string} */ option) => FIRST.includes(option);
    fill(options,
      h("div", { class: "grid" }, ...asked.filter(([option]) => isFirst(option)).map(([, { element }]) => element)),
      h("details", { class: "more" }, h("summary", {}, "All options"),
        h("div", { class: "grid" }, ...asked.filter(([option]) => !isFirst(option)).map(([, { element }]) => element))));
  }

  const cards = types.map((type) => typeCard(type, version.num_rows, type.id === chosen.type, () => {
    chosen.type = type.id;
    chosen.config = config();
    showOptions();
  }));
  showOptions();
  const { button, place, command, onsubmit } = submit("Start training", () => ({ method: "POST", path: "/api/synthgen/models", json: body() }), async (call) => {
    const made = await send(call);
    dropDraft(draftName);
    return `#/models/${made.id}`;
  });
  const element = h("form", { class: "stack-l", onsubmit, oninput: () => keepDraft(draftName, { type: chosen.type, name: name.value, config: config() }) },
    h("fieldset", {}, h("legend", {}, "Model type"), h("div", { class: "grid types" }, ...cards)),
    h("div", { class: "card stack" }, field("Name of the model", name), options),
    place, h("div", { class: "row" }, button, command));
  return element;
}

/** @param {ModelType} type @param {number} rows @param {boolean} isChosen @param {() => void} onChosen */
function typeCard(type, rows, isChosen, onChosen) {
  const [what, goodFor] = type.description.split(" - ");
  const input = h("input", { type: "radio", name: "model_type", value: type.id, checked: isChosen, oninput: onChosen });
  return h("label", { class: "card type stack-s" }, input, h("strong", {}, type.name),
    h("span", {}, `${goodFor[0].toUpperCase()}${goodFor.slice(1)}.`), h("span", { class: "small quiet" }, what),
    h("span", { class: "small quiet tabular" }, `About ${duration(expected(type, rows))} at its defaults, on one core`));
}

/** In seconds, on one core. @param {ModelType} type @param {number} rows */
function expected(type, rows) {
  const epochs = Number(type.config_schema.properties.epochs?.default ?? 1);
  return Math.max(AT_LEAST_S, (rows * epochs) / (ROWS_PER_SECOND[type.id] ?? ROWS_PER_SECOND.ctgan));
}

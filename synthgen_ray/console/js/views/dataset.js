/** A table: its columns as they were understood, to be corrected before a model learns them. */

import { ApiError, get, send } from "../api.js";
import { columnChart } from "../components/column_chart.js";
import { curl } from "../components/curl.js";
import { deletion } from "../components/deletion.js";
import { choice } from "../components/fields.js";
import { notify } from "../components/notices.js";
import { problem } from "../components/problem.js";
import { rowsTable } from "../components/rows.js";
import { trail } from "../components/trail.js";
import { distribution } from "../distribution.js";
import { h } from "../dom.js";
import { count, several, size, words } from "../format.js";
import { preview } from "../preview.js";
import { go } from "../router.js";

/** @typedef {import("../types.js").Column} Column */
/** @typedef {import("../types.js").Call} Call */
/** @typedef {import("../preview.js").Preview} Preview */
/** @typedef {(column: string, kind: string) => Promise<Column>} Correct */

const KINDS = ["integer", "float", "categorical", "boolean", "datetime", "id", "text", "constant"];
const SHOWN_ROWS = 12;
const SHOWN_WARNINGS = 2;

/** @type {import("../router.js").View} */
export async function datasetView({ params: [id], query, signal }) {
  /** @type {import("../types.js").Dataset} */
  const dataset = await get(`/api/datasets/${id}`, signal);
  const number = Number(query.get("version") ?? dataset.version);
  const [project, version, head] = await Promise.all([
    get(`/api/projects/${dataset.project_id}`, signal),
    get(`/api/datasets/${id}/versions/${number}`, signal),
    preview(id, number, signal).catch(refused),
  ]);
  trail(["Projects", "#/"], [project.name, `#/projects/${project.id}`], [dataset.name]);
  return h("div", { class: "stack-l" },
    h("div", { class: "head" },
      h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, dataset.name),
        h("p", { class: "quiet tabular" }, `${count(version.num_rows)} rows × ${several(version.num_columns, "column")} · ${size(version.size_bytes)} · version ${number}`)),
      h("a", { class: "button primary", href: `#/datasets/${id}/train?version=${number}` }, "Train a model")),
    warningsOf(version.warnings),
    columnList(id, version, head),
    rowsOf(id, number, head),
    h("div", { class: "row" }, versions(dataset, number), removal(dataset)));
}

/** @param {import("../types.js").Version["warnings"]} warnings */
function warningsOf(warnings) {
  if (warnings.length === 0) return null;
  const list = h("ul", {}, ...warnings.map((warning) => h("li", {}, warning.message)));
  if (warnings.length <= SHOWN_WARNINGS) return h("div", { class: "warning" }, list);
  return h("details", { class: "warning more" }, h("summary", {}, `${several(warnings.length, "note")} on how the file was read`), list);
}

/** @param {unknown} error @returns {ApiError} */
function refused(error) {
  if (error instanceof ApiError && error.status !== 401) return error;
  throw error;
}

/** @param {string} id @param {import("../types.js").Version} of @param {Preview | ApiError} head */
function columnList(id, { version, columns, num_rows: rows }, head) {
  /** @param {string} column @param {string} kind @returns {Call} */
  const callOf = (column, kind) => ({ method: "PATCH", path: `/api/datasets/${id}/versions/${version}/schema`, json: { columns: { [column]: { kind } } } });
  let last = callOf(columns[0].name, columns[0].kind);
  /** @type {Correct} */
  const correct = async (column, kind) => {
    last = callOf(column, kind);
    const corrected = await send(last);
    return corrected.columns.find((/** @type {Column} */ each) => each.name === column);
  };
  const basis = head instanceof ApiError || head.rows.length >= rows ? "" : ` The charts are of the first ${count(head.rows.length)} rows.`;
  return h("section", { class: "stack" }, h("h2", {}, "Columns"),
    h("p", { class: "quiet" }, `A model learns each column by its kind. Correct what was guessed wrong before you train.${basis}`),
    h("ul", { class: "grid" }, ...columns.map((column) => columnCard(column, head, correct))),
    curl(() => last, "Correct a kind"));
}

/** @param {Column} column @param {Preview | ApiError} head @param {Correct} correct */
function columnCard(column, head, correct) {
  const place = h("div");
  const kind = choice(KINDS.map((name) => [name, words(name)]), column.kind, { "aria-label": `Kind of ${column.name}` });
  const card = h("li", { class: "card column stack-s" },
    h("div", { class: "spread" }, h("h3", {}, column.name), kind), tags(column), place, chartOf(column, head));
  kind.addEventListener("change", async () => {
    place.replaceChildren();
    try {
      const changed = await correct(column.name, kind.value);
      notify(`“${column.name}” is learnt as ${changed.kind}.`);
      card.replaceWith(columnCard(changed, head, correct));
    } catch (error) {
      kind.value = column.kind;
      place.replaceChildren(problem(error));
    }
  });
  return card;
}

/** @param {Column} column */
const tags = (column) => h("div", { class: "chips" },
  h("span", { class: "tag tabular" }, several(column.cardinality, "value")),
  column.unique && h("span", { class: "tag" }, "unique"),
  column.nullable && h("span", { class: "tag" }, "some missing"),
  column.pii && h("span", { class: "tag" }, `personal: ${column.pii}`));

/** @param {Column} column @param {Preview | ApiError} head */
function chartOf(column, head) {
  if (head instanceof ApiError) return null;
  const at = head.columns.indexOf(column.name);
  return columnChart(column.name, distribution(head.rows.map((row) => row[at] ?? null), column.kind, { format: column.format }), true);
}

/** @param {string} id @param {number} version @param {Preview | ApiError} head */
function rowsOf(id, version, head) {
  const title = h("h2", {}, "First rows");
  if (head instanceof ApiError) return h("section", { class: "stack" }, title, problem(head));
  return h("section", { class: "stack" }, title, rowsTable(head.columns, head.rows.slice(0, SHOWN_ROWS), "The first rows of the table"),
    curl(() => ({ method: "GET", path: `/api/datasets/${id}/download?format=csv&version=${version}`, to: "table.csv" }), "Download the table"));
}

/** @param {import("../types.js").Dataset} dataset @param {number} shown */
function versions(dataset, shown) {
  if (dataset.version === 0) return null;
  const numbers = Array.from({ length: dataset.version + 1 }, (_, number) => /** @type {[string, string]} */ ([String(number), `Version ${number}`]));
  const select = choice(numbers, String(shown), { "aria-label": "Version", onchange: () => go(`#/datasets/${dataset.id}?version=${select.value}`) });
  return h("div", {}, select);
}

/** @param {import("../types.js").Dataset} dataset */
function removal(dataset) {
  const { button, place } = deletion("table", dataset.name, `/api/datasets/${dataset.id}`,
    "All its versions are gone for good. One that a model was trained on is kept until the model is gone.", () => `#/projects/${dataset.project_id}`);
  return h("div", { class: "stack-s" }, h("div", {}, button), place);
}

/** Rows of a model at once, and conditions chosen from them. */

import { send } from "../api.js";
import { action } from "../components/action.js";
import { problem } from "../components/problem.js";
import { rowsTable } from "../components/rows.js";
import { fill, h } from "../dom.js";
import { count } from "../format.js";
import { draft, keepDraft } from "../session.js";
import { conditionCards, conditionChips } from "./conditions.js";

/** @typedef {import("../types.js").Row} Row */

const NUM_ROWS = 500;
const SHOWN_ROWS = 8;

/**
 * @param {import("../types.js").Model} model @param {import("../types.js").Column[]} columns
 * @param {import("./conditions.js").Asked} asked Filled here, read by the generation. @param {AbortSignal} signal
 */
export function samplePanel(model, columns, asked, signal) {
  const path = `/api/synthgen/models/${model.id}/sample`;
  const draftName = `conditions.${model.id}`;
  asked.conditions = draft(draftName, asked.conditions);
  const body = () => ({ num_rows: NUM_ROWS, ...(Object.keys(asked.conditions).length > 0 && { conditions: asked.conditions }) });
  /** @returns {import("../types.js").Call} */
  const call = () => ({ method: "POST", path, json: body() });
  const kinds = new Map(columns.map((column) => [column.name, column.kind]));
  const chips = h("div", { "aria-live": "polite" });
  const cards = h("div");
  const table = h("div", { class: "stack" }, h("p", { class: "quiet", "aria-busy": "true" }, "Drawing rows…"));
  /** @type {Row[]} */
  let free = [];

  function showConditions() {
    keepDraft(draftName, asked.conditions);
    fill(chips, conditionChips(asked, changed));
    const names = free.length > 0 ? Object.keys(free[0]) : [];
    fill(cards, conditionCards(names, free, (name) => kinds.get(name) ?? guessed(free, name), asked, changed));
  }

  function changed() {
    showConditions();
    draw().catch(showProblem);
  }

  async function draw() {
    /** @type {Row[]} */
    const rows = await send(call());
    if (signal.aborted) return;
    const names = Object.keys(rows[0] ?? {});
    fill(table, rowsTable(names, rows.slice(0, SHOWN_ROWS).map((row) => names.map((name) => row[name])), "Synthetic rows"));
    return rows;
  }

  async function start() {
    free = await send({ method: "POST", path, json: { num_rows: NUM_ROWS } });
    if (signal.aborted) return;
    showConditions();
    await draw();
  }

  /** @param {unknown} error */
  const showProblem = (error) => fill(table, problem(error));
  const { button, place, command } = action("Draw others", call, async () => void (await draw()));
  start().catch(showProblem);
  return h("section", { class: "stack" },
    h("div", { class: "spread" }, h("div", { class: "stack-s" }, h("h2", {}, "A sample, at once"),
      h("p", { class: "quiet" }, "These rows come straight from the model. A report tells how like the real ones they are.")), button),
    place, chips, table,
    h("details", { class: "more", open: Object.keys(asked.conditions).length > 0 }, h("summary", {}, "Conditions"),
      h("div", { class: "stack" }, h("p", { class: "small quiet" }, `What the model makes by itself, by ${count(NUM_ROWS)} rows.`), cards)),
    command);
}

/** The kind of a column of an imported model, whose table is elsewhere. @param {Row[]} rows @param {string} name */
function guessed(rows, name) {
  const value = rows.map((row) => row[name]).find((each) => each !== null);
  return typeof value === "number" ? "float" : "categorical";
}

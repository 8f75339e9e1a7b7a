/** Rows of a model at once, and conditions chosen from them. */

import { fault, refuseFault, wishes } from "../asked.js";
import { send } from "../api.js";
import { action } from "../components/action.js";
import { problem } from "../components/problem.js";
import { isNumber, rowsTable } from "../components/rows.js";
import { fill, h } from "../dom.js";
import { count } from "../format.js";
import { exact } from "../json.js";
import { latest } from "../latest.js";
import { draft, keepDraft } from "../session.js";
import { conditionCard } from "./condition_card.js";
import { conditionChips } from "./conditions.js";

/** @typedef {import("../types.js").Row} Row */

const NUM_ROWS = 500;
const SHOWN_ROWS = 8;
const SEED = 0; // The values to choose from are the same after a reload.

/**
 * @param {import("../types.js").Model} model @param {import("../types.js").Column[]} columns
 * @param {import("../asked.js").Asked} asked Filled here, read by the generation. @param {AbortSignal} signal
 */
export function samplePanel(model, columns, asked, signal) {
  const path = `/api/synthgen/models/${model.id}/sample`;
  const draftName = `asked.${model.id}`;
  Object.assign(asked, draft(draftName, asked));
  const body = () => ({ num_rows: NUM_ROWS, ...wishes(asked) });
  /** @returns {import("../types.js").Call} */
  const call = () => ({ method: "POST", path, json: body() });
  const known = new Map(columns.map((column) => [column.name, column]));
  // An object of JavaScript has names that are whole numbers, such as years, before all others.
  const inOrder = [...known.keys()];
  const namesOf = (/** @type {Row} */ row) => Object.keys(row).sort((a, b) => inOrder.indexOf(a) - inOrder.indexOf(b));
  const inTurn = latest();
  const chips = h("div", { "aria-live": "polite" });
  const cards = h("ul", { class: "grid" });
  const table = h("div", { class: "stack" }, h("p", { class: "quiet", "aria-busy": "true" }, "Drawing rows…"));
  /** @type {import("./condition_card.js").Shown[]} */
  let shown = [];

  function showConditions() {
    keepDraft(draftName, asked);
    fill(chips, conditionChips(asked, changed));
    shown.forEach((card) => card.show());
  }

  function changed() {
    showConditions();
    if (!fault(asked)) draw().catch(showProblem); // else the sentence stands where the shares are typed
  }

  async function draw() {
    refuseFault(asked);
    await inTurn(() => send(call(), exact), (/** @type {Row[]} */ rows) => {
      const names = namesOf(rows[0] ?? {});
      fill(table, rowsTable(names, rows.slice(0, SHOWN_ROWS).map((row) => names.map((name) => row[name])), "Synthetic rows"));
    });
  }

  async function start() {
    /** @type {Row[]} */
    const free = await send({ method: "POST", path, json: { num_rows: NUM_ROWS, seed: SEED } }, exact);
    if (signal.aborted) return;
    shown = namesOf(free[0] ?? {}).map((name) => {
      const cells = free.map((row) => row[name]);
      return conditionCard(known.get(name) ?? guessed(name, cells), cells, asked, changed);
    });
    fill(cards, ...shown.map((card) => card.element));
    showConditions();
    await draw();
  }

  /** @param {unknown} error */
  const showProblem = (error) => fill(table, problem(error));
  const { button, place, command } = action("Draw others", call, () => (shown.length > 0 ? draw() : start())); // the first try may have failed
  start().catch(showProblem);
  return h("section", { class: "stack" },
    h("div", { class: "spread" }, h("div", { class: "stack-s" }, h("h2", {}, "A sample, at once"),
      h("p", { class: "quiet" }, "These rows come straight from the model. A report tells how like the real ones they are.")), button),
    place, chips, table,
    h("details", { class: "more", open: Object.keys(wishes(asked)).length > 0 }, h("summary", {}, "Conditions"),
      h("div", { class: "stack" }, h("p", { class: "small quiet" }, `What the model makes by itself, by ${count(NUM_ROWS)} rows.`), cards)),
    command);
}

/** A column of an imported model, whose table is elsewhere. @param {string} name @param {import("../types.js").Scalar[]} cells */
function guessed(name, cells) {
  const value = cells.find((each) => each !== null);
  return { name, kind: isNumber(value) ? "float" : "categorical", nullable: cells.includes(null), format: null };
}

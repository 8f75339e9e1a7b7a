/** The reports of a model, and where one is asked for. */

import { get, send } from "../api.js";
import { action } from "../components/action.js";
import { badge } from "../components/status.js";
import { h } from "../dom.js";
import { moment, percent } from "../format.js";

/** @typedef {import("../types.js").Report} Report */

/** @param {import("../types.js").Model} model @param {AbortSignal} signal */
export async function reportsPanel(model, signal) {
  /** @type {import("../types.js").Listed<Report>} */
  const { items: own } = await get(`/api/reports?entity_id=${model.id}&limit=500`, signal);
  const body = { project_id: model.project_id, kind: "synthgen", entity_id: model.id };
  const { button, place, command } = action("Make a report", () => ({ method: "POST", path: "/api/reports", json: body }), async (call) => {
    const report = await send(call);
    return `#/reports/${report.id}`;
  });
  return h("section", { class: "stack" },
    h("div", { class: "spread" }, h("div", { class: "stack-s" }, h("h2", {}, "Real against synthetic"),
      h("p", { class: "quiet" }, "How close the rows are, column by column and pair by pair, and whether they give anybody away.")),
      model.dataset_id && button),
    place,
    own.length > 0 ? h("ul", { class: "list" }, ...own.map(line))
      : h("p", { class: "empty" }, model.dataset_id ? "No report yet. Making one takes some seconds." : "A model that was imported has no table here to be compared with."),
    model.dataset_id && command);
}

/** @param {Report} report */
const line = (report) => h("li", {},
  h("div", { class: "main" }, h("a", { href: `#/reports/${report.id}` }, `Report of ${moment(report.created_at)}`)),
  report.scores && h("span", { class: "small quiet tabular" }, `shapes ${percent(report.scores.column_shapes, 1)} · pairs ${percent(report.scores.pair_trends, 1)}`),
  badge(report.status));

/** A report: real against synthetic, by column and by pair. */

import { get, watch } from "../api.js";
import { heatmap } from "../charts/heatmap.js";
import { action } from "../components/action.js";
import { failure } from "../components/failure.js";
import { notify } from "../components/notices.js";
import { problem } from "../components/problem.js";
import { progress } from "../components/progress.js";
import { badge } from "../components/status.js";
import { trail } from "../components/trail.js";
import { fill, h } from "../dom.js";
import { count, howFar, moment, percent, plain } from "../format.js";
import { save } from "../saving.js";
import { comparisons } from "./comparisons.js";

/** @typedef {import("../types.js").Report} Report */
/** @typedef {import("../types.js").Assessment} Assessment */

/** @type {import("../router.js").View} */
export async function reportView(visit) {
  const { params: [id], signal } = visit;
  /** @type {Report} */
  const report = await get(`/api/reports/${id}`, signal);
  const [{ model }, project] = await Promise.all([
    get(`/api/synthgen/models/${report.entity_id}`, signal), get(`/api/projects/${report.project_id}`, signal)]);
  trail(["Projects", "#/"], [project.name, `#/projects/${project.id}`], [model.name, `#/models/${model.id}`], ["Report"]);
  const place = h("div", { class: "stack-l" });
  const again = async () => {
    if (!signal.aborted) fill(place, await reportView(visit));
  };
  fill(place, h("div", { class: "head" },
    h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, "Real against synthetic"),
      h("p", { class: "quiet" }, `${model.name} · ${moment(report.created_at)}`)),
    report.status === "succeeded" && pageOf(id)),
    await body(report, signal, again));
  return place;
}

/** @param {Report} report @param {AbortSignal} signal @param {() => Promise<void>} onDone */
async function body(report, signal, onDone) {
  if (report.status === "failed") return failure(report);
  if (report.status !== "succeeded") return waiting(report.id, signal, onDone);
  /** @type {Assessment} */
  const found = await get(`/api/reports/${report.id}/download?format=json`, signal);
  const { scope, associations } = found;
  return h("div", { class: "stack-l" },
    scores(report),
    h("ul", { class: "list verdict" }, ...found.verdict.map((finding) => h("li", {}, badge(finding.level, finding.area),
      h("div", { class: "main" }, finding.sentence, finding.advice && h("p", { class: "small quiet" }, plain(finding.advice)))))),
    h("p", { class: "small quiet tabular" }, `${count(scope.synthetic_rows)} synthetic rows against ${count(scope.real_rows)} that were learnt${scope.holdout_rows ? ` and ${count(scope.holdout_rows)} that were not` : ""}. Nothing that fewer than a handful of real rows have is shown.`),
    comparisons(found.columns, found.pairs),
    associations.columns.length > 1 && h("section", { class: "stack" }, h("h2", {}, "Which columns go together"),
      h("p", { class: "quiet" }, "The stronger its colour, the more two columns say of each other. The first two squares should look alike, the third should be pale."),
      h("div", { class: "grid-wide heatmaps" },
        heatmap("Real", associations.columns, associations.real, "real"),
        heatmap("Synthetic", associations.columns, associations.synthetic, "synthetic"),
        heatmap("Difference", associations.columns, associations.difference, "real")),
      h("ol", { class: "small quiet columns" }, ...associations.columns.map((name) => h("li", {}, name)))));
}

/** @param {string} id */
function pageOf(id) {
  /** @type {import("../types.js").Call} */
  const call = { method: "GET", path: `/api/reports/${id}/download`, to: "report.html" };
  const { button, place, command } = action("Save it", () => call, async () => notify(`Saved as ${await save(call, () => {})}.`));
  return h("div", { class: "stack-s" }, h("div", { class: "row" },
    // “opener”, since a tab has the session of the one that opened it only where the two know each other.
    h("a", { class: "button primary", href: `/console/report#${id}`, target: "_blank", rel: "opener" }, "Open the whole report"),
    button, command), place);
}

/** @param {string} id @param {AbortSignal} signal @param {() => Promise<void>} onDone */
function waiting(id, signal, onDone) {
  const bar = progress("Report");
  const place = h("div");
  async function follow() {
    try {
      for await (const job of watch(id, signal)) bar.show(job.progress, howFar(job));
      await onDone();
    } catch (error) {
      if (!signal.aborted) fill(place, problem(error));
    }
  }
  follow();
  return h("div", { class: "card stack" }, bar.element, place);
}

/** @param {number | null} value */
const auc = (value) => value?.toFixed(2) ?? "–";

/** @param {Report} report */
function scores({ scores: of }) {
  if (!of) return null;
  const told = /** @type {[string, string, string][]} */ ([
    ["Column shapes", percent(of.column_shapes, 1), "100 % is best"],
    ["Pair trends", percent(of.pair_trends, 1), "100 % is best"],
    ["Told apart", auc(of.detection_auc), "AUC, 0.5 is best"],
    ["Teaches a model", auc(of.utility), of.utility_real === null ? "" : `real rows ${auc(of.utility_real)}`],
    ["Copies of real rows", percent(of.copies, 1), "0 % is best"],
  ]);
  return h("dl", { class: "facts card" }, ...told.map(([name, value, note]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "note" }, h("small", {}, note)))));
}

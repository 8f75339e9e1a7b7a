/** Any number of rows as a file. */

import { refuseFault, wishes } from "../asked.js";
import { send } from "../api.js";
import { submit } from "../components/action.js";
import { choice, field } from "../components/fields.js";
import { fill, h } from "../dom.js";
import { draft, keepDraft } from "../session.js";
import { generationProgress } from "./generation_progress.js";

const FORMATS = /** @type {[string, string][]} */ ([["csv", "CSV"], ["parquet", "Parquet"], ["jsonl", "JSON lines"]]);

/** @param {import("../types.js").Model} model @param {import("../asked.js").Asked} asked @param {AbortSignal} signal */
export function generatePanel(model, asked, signal) {
  const path = `/api/synthgen/models/${model.id}/generate`;
  const draftName = `generation.${model.id}`;
  const rows = h("input", { type: "number", min: 1, max: 10_000_000, value: 1000, required: true });
  const seed = h("input", { type: "number", min: 0, placeholder: "any" });
  const format = choice(FORMATS, "csv");
  const made = h("div");
  const body = () => ({
    num_rows: Number(rows.value), format: format.value, ...(seed.value && { seed: Number(seed.value) }),
    ...wishes(asked),
  });
  const { button, place, command, onsubmit } = submit("Generate", () => ({ method: "POST", path, json: body() }), async (call) => {
    refuseFault(asked);
    const accepted = await send(call);
    keepDraft(draftName, accepted.synthgen_job_id);
    fill(made, generationProgress(accepted.synthgen_job_id, signal));
  });
  const last = draft(draftName, /** @type {string | null} */ (null));
  if (last) fill(made, generationProgress(last, signal));
  return h("form", { class: "card stack", onsubmit },
    h("div", { class: "stack-s" }, h("h2", {}, "Generate a file"), h("p", { class: "quiet" }, "As many rows as you like, under the conditions above.")),
    h("div", { class: "grid" }, field("Rows", rows), field("Format", format), field("Seed", seed, "The same seed gives the same rows.")),
    place, h("div", { class: "row" }, button, command), made);
}

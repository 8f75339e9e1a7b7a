/** A generation as it runs, and its file once it is there. */

import { fetchFile, watch } from "../api.js";
import { action } from "../components/action.js";
import { cancellation } from "../components/cancellation.js";
import { failure } from "../components/failure.js";
import { notify } from "../components/notices.js";
import { problem } from "../components/problem.js";
import { progress } from "../components/progress.js";
import { fill, h } from "../dom.js";
import { count, howFar, percent, size } from "../format.js";
import { canStream, save } from "../saving.js";

/** @typedef {import("../types.js").Job} Job */

const LARGE_BYTES = 500e6;

/** @param {string} jobId @param {AbortSignal} signal @param {(job: Job) => void} [onChange] */
export function generationProgress(jobId, signal, onChange) {
  const bar = progress("Generation");
  const below = h("div");
  const cancel = cancellation("Cancel", jobId);

  /** @param {Job} job */
  function show(job) {
    onChange?.(job);
    bar.show(job.progress, howFar(job));
    if (job.result) fill(below, download(job, job.result));
    else if (job.status === "failed") fill(below, failure(job));
    else if (isElsewhere(job)) fill(below, h("p", {}, "Its rows are in ", h("code", {}, job.config.output), "."));
  }

  async function follow() {
    fill(below, h("div", { class: "row" }, cancel.button, cancel.command), cancel.place);
    try {
      for await (const job of watch(jobId, signal)) {
        show(job);
        // Its rows are no longer kept, and the refusal says how to have them again.
        if (job.status === "completed" && !job.result && !isElsewhere(job)) await fetchFile(rowsOf(jobId));
      }
    } catch (error) {
      if (!signal.aborted) fill(below, problem(error));
    }
  }
  follow();
  return h("div", { class: "stack" }, bar.element, below);
}

/** What a batch has made. @param {Job} job */
const isElsewhere = (job) => job.job_type === "batch" && job.status === "completed";

/** @param {string} jobId @returns {import("../types.js").Call} */
const rowsOf = (jobId) => ({ method: "GET", path: `/api/synthgen/jobs/${jobId}/download` });

/** @param {Job} job @param {NonNullable<Job["result"]>} result */
function download(job, { num_rows: rows, format, size_bytes: bytes }) {
  const bar = progress("Download");
  const call = { ...rowsOf(job.id), to: `synthetic.${format}` };
  const { button, place, command } = action(`Download ${count(rows)} rows`, () => call, async () => {
    const name = await save(call, (share) => bar.show(share ?? 0, share === null ? "Downloading…" : `${percent(share)} of ${size(bytes)}`), bytes);
    bar.show(1, `Saved as ${name}`);
    notify(`Saved as ${name}.`);
  }, "primary");
  return h("div", { class: "stack" }, h("div", { class: "row" }, button, h("span", { class: "small quiet tabular" }, `${format.toUpperCase()} · ${size(bytes)}`),
    command),
    bytes > LARGE_BYTES && !canStream() && h("p", { class: "small quiet" }, "This browser holds all of a file before it saves it. The curl command writes one of this size straight to the disk."),
    place, bar.element);
}

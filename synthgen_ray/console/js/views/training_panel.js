/** A training as it runs: how far, how long still, and its losses. */

import { watch } from "../api.js";
import { lossCurves } from "../charts/curves.js";
import { cancellation } from "../components/cancellation.js";
import { curl } from "../components/curl.js";
import { failure } from "../components/failure.js";
import { problem } from "../components/problem.js";
import { progress } from "../components/progress.js";
import { fill, h } from "../dom.js";
import { howFar } from "../format.js";
import { draft, dropDraft, keepDraft } from "../session.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../charts/curves.js").Point} Point */

const MOST_POINTS = 400;
const NARROWEST_PX = 280;

/** @param {string} jobId @param {AbortSignal} signal @param {(job: Job) => void | Promise<void>} onChange Of its status. */
export function trainingPanel(jobId, signal, onChange) {
  const bar = progress("Training");
  const chart = h("div");
  const place = h("div", { class: "stack" });
  const { button, place: refusal, command } = cancellation("Cancel the training", jobId);
  /** @type {Point[]} */
  let points = draft(`losses.${jobId}`, /** @type {Point[]} */ ([]));

  /** @param {Job} job */
  function show(job) {
    bar.show(job.progress, howFar(job));
    if (Object.keys(job.losses).length > 0 && job.progress > (points.at(-1)?.progress ?? -1)) {
      points = thinned([...points, { progress: job.progress, losses: job.losses }]);
      keepDraft(`losses.${jobId}`, points);
    }
    if (points.length > 1) fill(chart, lossCurves(points, Math.max(NARROWEST_PX, chart.clientWidth)));
    if (job.status === "completed") dropDraft(`losses.${jobId}`);
    if (job.status === "failed") {
      button.remove();
      command.remove();
      fill(place, failure(job));
    }
  }

  async function follow() {
    let status = "";
    try {
      for await (const job of watch(jobId, signal)) {
        show(job);
        if (job.status !== status) await onChange(job);
        status = job.status;
      }
    } catch (error) {
      if (!signal.aborted) fill(place, problem(error));
    }
  }
  follow();
  return h("section", { class: "card stack" }, h("h2", {}, "Training"), bar.element, chart, place, refusal,
    h("div", { class: "row" }, button, command,
      curl(() => ({ method: "GET", path: `/api/synthgen/jobs/${jobId}/events` }), "Watch the training", "Watch it with curl")));
}

/** Half as many once there are too many. @param {Point[]} points */
const thinned = (points) => (points.length <= MOST_POINTS ? points : points.filter((_, index) => index % 2 === 0));

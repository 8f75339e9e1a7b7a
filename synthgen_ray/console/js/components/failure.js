/** Why a job failed, and what to do about it. */

import { h } from "../dom.js";

/** @param {{error: import("../types.js").Failure | null, cancelled?: boolean}} job */
export function failure(job) {
  if (job.cancelled) return h("p", { class: "warning" }, "It was cancelled. Start another whenever you like.");
  if (!job.error) return h("p", { class: "error", role: "alert" }, "It failed, and nobody said why.");
  const advice = job.error.retryable ? "Trying again may well work." : "Trying again would fail in the same way: change what it says first.";
  return h("div", { class: "error stack-s", role: "alert" }, h("p", {}, job.error.message), h("p", { class: "small" }, advice));
}

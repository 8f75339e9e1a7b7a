/** Whether a server is well, in a sentence, and what to do where it is not. The sharpest trouble comes first. */

import { duration, size, words } from "./format.js";

/** @typedef {import("./types.js").ServerStatus} ServerStatus */
/** @typedef {{level: "good" | "warn" | "bad", sentence: string, advice: string}} Verdict */

const WAITS_LONG_S = 900, FULL_QUEUE_S = 3600; // as the alerts of Prometheus have it
const DOCTOR = "Run synthgen doctor on the server's machine: it looks at all that a server needs, and says what to do.";

/** @type {{[name: string]: string}} */
const PARTS = { store: "Metadata store", artifacts: "Artifact store", dispatcher: "Dispatcher" };
/** @type {{[kind: string]: string}} */
const KINDS = { train: "Trainings", generate: "Generations", report: "Reports", batch: "Batches" };

const ON_CPUS = ["train", "report"]; // they wait for each other's

export const PART_NAMES = Object.keys(PARTS);
export const KIND_NAMES = Object.keys(KINDS);

/** @param {string} name */
export const partName = (name) => PARTS[name] ?? name;
/** @param {string} kind */
export const kindName = (kind) => KINDS[kind] ?? kind;

/** @param {import("./api.js").ApiError} error Why there is no answer. @returns {Verdict} */
export function verdictOfSilence(error) {
  if (error.status === 0) {
    return { level: "bad", sentence: "The server does not answer.", advice: `synthgen status says whether it runs, and synthgen up starts it. ${DOCTOR}` };
  }
  const isOurs = error.status < 500; // such as a key that was revoked meanwhile
  return { level: isOurs ? "warn" : "bad", sentence: error.message, advice: isOurs ? "" : DOCTOR };
}

/** @param {ServerStatus} status @returns {Verdict} */
export function verdictOf(status) {
  const broken = status.checks.filter((check) => !check.ok);
  if (broken.length > 0) {
    const names = broken.map((check) => `the ${partName(check.name).toLowerCase()}`);
    return { level: "bad", sentence: `${all(names)} ${names.length > 1 ? "do" : "does"} not work.`, advice: DOCTOR };
  }
  const { disk } = status;
  if (disk && disk.free_bytes < disk.needed_bytes) {
    return {
      level: "bad", sentence: `The disk is almost full: ${size(disk.free_bytes)} are free, and uploads are refused below ${size(disk.needed_bytes)}.`,
      advice: "Make room on it, or keep generated rows for less long: retention.outputs_days in the settings.",
    };
  }
  return verdictOfQueue(status.queue ?? []);
}

/** As the beginning of a sentence. @param {string[]} names */
const all = (names) => words(new Intl.ListFormat("en").format(names));

/** @param {import("./types.js").QueueFigures[]} queue @returns {Verdict} */
function verdictOfQueue(queue) {
  const waiting = queue.filter((kind) => (kind.oldest_pending_seconds ?? 0) > WAITS_LONG_S);
  const runs = (/** @type {string[]} */ kinds) => queue.some(({ job_type, running }) => running > 0 && kinds.includes(job_type));
  const stuck = waiting.find(({ job_type }) => !runs(ON_CPUS.includes(job_type) ? ON_CPUS : [job_type]));
  if (stuck) {
    return {
      level: "bad", sentence: `${kindName(stuck.job_type)} have waited for ${duration(stuck.oldest_pending_seconds ?? 0)}, and nothing runs that they could wait for.`,
      advice: "The dispatcher cannot start any, and its log says why: mostly a store that is away, or no free place (training.max_running and the like).",
    };
  }
  const slow = waiting.find((kind) => (kind.oldest_pending_seconds ?? 0) > FULL_QUEUE_S);
  if (slow) {
    return {
      level: "warn", sentence: `There is more to do than the server does: ${kindName(slow.job_type).toLowerCase()} have waited for ${duration(slow.oldest_pending_seconds ?? 0)}.`,
      advice: "Raise training.max_running and the like where CPUs are idle, else add nodes.",
    };
  }
  return { level: "good", sentence: "All is well.", advice: "" };
}

/** How the server is: whether all works, what waits, what runs, and what failed last. For its operator. */

import { withLook } from "../activity.js";
import { ApiError, get } from "../api.js";
import { activityChart } from "../charts/activity.js";
import { curl } from "../components/curl.js";
import { lines } from "../components/lines.js";
import { progress } from "../components/progress.js";
import { badge } from "../components/status.js";
import { trail } from "../components/trail.js";
import { fill, h } from "../dom.js";
import { count, duration, howFar, moment, size, time, words } from "../format.js";
import { isFinal, poll } from "../polling.js";
import { draft, keepDraft } from "../session.js";
import { KIND_NAMES, PART_NAMES, kindName, partName, verdictOf, verdictOfSilence } from "../verdict.js";

/** @typedef {import("../types.js").ServerStatus} ServerStatus */
/** @typedef {import("../types.js").RunningJob} RunningJob */
/** @typedef {import("../types.js").FailedJob} FailedJob */
/** @typedef {import("../activity.js").Seen} Seen */
/** @typedef {{status: ServerStatus, error: null} | {status: null, error: ApiError}} Look What was answered, or why nothing was. */

const PATH = "/api/status";
const EVERY_MS = 5000;
const PATIENCE_MS = 12_000;
const SEEN = "status.seen"; // kept in the tab, as a draft is: who looks at a job and comes back finds it
const NONE = "–";
const UNKNOWN = "Not known: the metadata store, or the server, does not answer.";
const STATUSES = /** @type {const} */ (["running", "failed", "completed"]);

/** @type {import("../router.js").View} */
export async function statusView({ signal }) {
  /** @returns {Promise<Look>} */
  async function look() {
    const patience = AbortSignal.timeout(PATIENCE_MS); // a server that hangs is worse than one that refuses
    try {
      return { status: await get(PATH, AbortSignal.any([signal, patience])), error: null };
    } catch (error) {
      if (error instanceof ApiError) return { status: null, error };
      if (signal.aborted || !patience.aborted) throw error;
      return { status: null, error: new ApiError(0, "away", "") };
    }
  }
  const first = await look();
  if (first.error && isFinal(first.error)) throw first.error;
  trail();
  const parts = [verdict(), checks(), queue(), activity(), running(), failures()];
  /** @param {Look} seen */
  const show = (seen) => parts.forEach((part) => part.show(seen));
  const [said, parted, counted, drawn, runs, failed] = parts.map((part) => part.element);
  const page = h("div", { class: "stack-l" },
    h("h1", { tabindex: "-1" }, "Status"), said, parted,
    h("div", { class: "grid-wide" }, section("Queue", counted), section("While you look", drawn)),
    section("Runs now", runs), section("Failed last", failed),
    curl(() => ({ method: "GET", path: PATH }), "Show the status"));
  show(first);
  poll(first, ({ error }) => !isFinal(error), look, show, signal, EVERY_MS);
  return page;
}

/** @typedef {{element: HTMLElement, show: (seen: Look) => void}} Part */

/** @param {string} title @param {HTMLElement} element */
const section = (title, element) => h("section", { class: "stack-s" }, h("h2", {}, title), element);

/** The one part that is read out when it changes. @returns {Part} */
function verdict() {
  const sentence = h("p", { class: "sentence" });
  const advice = h("p", { class: "small" });
  const live = h("div", { class: "stack-s", role: "status", "aria-live": "polite" }, sentence, advice);
  const facts = h("p", { class: "small quiet tabular" });
  const element = h("section", { class: "card stack-s", "aria-label": "Verdict" }, live, facts);
  let since = "";
  return {
    element,
    show({ status, error }) {
      const found = status ? verdictOf(status) : verdictOfSilence(error);
      element.className = `card stack-s state ${found.level}`;
      write(sentence, found.sentence);
      write(advice, found.advice);
      if (status) since = `SynthGen ${status.version} · seen at ${time(new Date())}${status.disk ? ` · ${size(status.disk.free_bytes)} of disk free` : ""}`;
      write(facts, status ? since : since && `Its last answer: ${since}`);
    },
  };
}

/** @returns {Part} */
function checks() {
  const element = h("ul", { class: "checks", "aria-label": "Parts of the server" });
  let told = "";
  return {
    element,
    show({ status }) {
      const found = status?.checks ?? PART_NAMES.map((name) => ({ name, ok: null, detail: UNKNOWN }));
      if (JSON.stringify(found) === told) return;
      told = JSON.stringify(found);
      fill(element, ...found.map(({ name, ok, detail }) => h("li", { class: "card" },
        h("div", { class: "spread" }, h("strong", {}, partName(name)), ok === null ? badge("", "not known") : ok ? badge("good", "works") : badge("bad", "away")),
        h("p", { class: "small quiet" }, detail ?? DOES[name]))));
    },
  };
}

/** @type {{[name: string]: string}} */
const DOES = {
  store: "It keeps projects, datasets, models and jobs.",
  artifacts: "It keeps files: tables, models, rows.",
  dispatcher: "It looks at the queue and starts what is due.",
};

/** @returns {Part} */
function queue() {
  const columns = ["Pending", "Oldest waits", ...STATUSES.map(words)]; // what matters first: a phone shows the first ones
  const rows = KIND_NAMES.map((kind) => ({ kind, cells: columns.map(() => h("td", { class: "number" }, NONE)) }));
  const caption = "Jobs by kind and status";
  const element = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "figures" }, h("caption", { class: "sr-only" }, caption),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Kind"), ...columns.map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, ...rows.map(({ kind, cells }) => h("tr", {}, h("th", { scope: "row" }, kindName(kind)), ...cells)))));
  return {
    element,
    show({ status }) {
      for (const { kind, cells } of rows) {
        const figures = status?.queue?.find((each) => each.job_type === kind);
        const oldest = figures?.oldest_pending_seconds ?? null;
        const told = (/** @type {"pending" | "running" | "completed" | "failed"} */ name) => (figures ? count(figures[name]) : NONE);
        const texts = [told("pending"), oldest === null ? NONE : duration(oldest), ...STATUSES.map(told)];
        cells.forEach((cell, at) => write(cell, texts[at]));
      }
    },
  };
}

/** @returns {Part} */
function activity() {
  const chart = h("div", { class: "activity" }, h("p", { class: "quiet" }, UNKNOWN));
  let seen = draft(SEEN, /** @type {Seen[]} */ ([]));
  let width = 0;
  function draw() {
    if (seen.length > 0 && width > 0) fill(chart, activityChart(seen, width));
  }
  // As wide as its place, which has no width before it is shown.
  new ResizeObserver(() => {
    if (chart.clientWidth === width) return;
    width = chart.clientWidth;
    draw();
  }).observe(chart);
  return {
    element: h("div", { class: "card" }, chart),
    show({ status }) {
      if (!status?.queue) return;
      seen = withLook(seen, Date.now(), status.queue);
      keepDraft(SEEN, seen);
      draw();
    },
  };
}

const running = () => listOf(runningLine, (status) => status.running, "Nothing runs", "Trainings, generations, reports and batches are shown here while they run.");
const failures = () => listOf(failedLine, (status) => status.failed, "Nothing failed", "The last ten jobs that fail are shown here, with their reasons. Cancelled ones are not among them.");

/**
 * @template {{id: string}} T
 * @param {(item: T) => import("../components/lines.js").Line<T>} lineOf @param {(status: ServerStatus) => T[] | null} itemsOf
 * @param {string} none @param {string} why
 * @returns {Part}
 */
function listOf(lineOf, itemsOf, none, why) {
  const element = h("div");
  const shown = lines(lineOf);
  const empty = h("div", { class: "empty" }, h("p", {}, h("strong", {}, none)), h("p", { class: "small" }, why));
  const unknown = h("p", { class: "empty" }, UNKNOWN);
  return {
    element,
    show({ status }) {
      const items = status && itemsOf(status);
      const node = !items ? unknown : items.length > 0 ? shown(items) : empty;
      if (element.firstChild !== node) element.replaceChildren(node);
    },
  };
}

/** @param {RunningJob | FailedJob} job */
const linkTo = (job) => h("a", { href: `#/jobs/${job.id}` }, `${words(job.job_type)}: ${job.model_name}`);

/** @param {RunningJob | FailedJob} job @param {string} rest */
const about = (job, rest) => h("p", { class: "small quiet" }, h("a", { href: `#/projects/${job.project_id}` }, job.project_name), ` · ${rest}`);

/** @param {RunningJob} job @returns {import("../components/lines.js").Line<RunningJob>} */
function runningLine(job) {
  const bar = progress(`${words(job.job_type)} of ${job.model_name}`);
  const place = h("div");
  let attempt = 0;
  /** @param {RunningJob} now */
  function show(now) {
    bar.show(now.progress, howFar(now));
    if (now.attempt !== attempt) { // else its link would lose the focus
      attempt = now.attempt;
      fill(place, about(now, `${now.started_at ? `since ${moment(now.started_at)}` : "it starts"}${now.attempt > 1 ? ` · attempt ${now.attempt}` : ""}`));
    }
  }
  show(job);
  return { element: h("li", {}, h("div", { class: "main" }, linkTo(job), place), h("div", { class: "grow" }, bar.element)), show };
}

/** @param {FailedJob} job @returns {import("../components/lines.js").Line<FailedJob>} */
function failedLine(job) {
  const reason = h("p", { class: "grow small" });
  /** @param {FailedJob} now */
  const show = (now) => fill(reason, now.error ? `${now.error.message} ` : "Nobody said why. ", now.error && h("code", { class: "quiet" }, now.error.code));
  show(job);
  return { element: h("li", {}, h("div", { class: "main" }, linkTo(job), about(job, job.finished_at ? moment(job.finished_at) : "")), reason), show };
}

/** What has not changed is not written: a screen reader would say it again. @param {HTMLElement} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

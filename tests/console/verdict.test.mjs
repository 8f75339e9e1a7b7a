import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../synthgen_ray/console/js/api.js";
import { KIND_NAMES, PART_NAMES, verdictOf, verdictOfSilence } from "../../synthgen_ray/console/js/verdict.js";

const WELL = { ok: true, code: null, detail: null };

/** A status in which all is well but for what is given. */
const status = ({ away = {}, disk = null, queue = {} } = {}) => ({
  version: "1", disk, running: [], failed: [],
  checks: PART_NAMES.map((name) => (name in away ? { name, ok: false, code: `${name}_unavailable`, detail: away[name] } : { name, ...WELL })),
  queue: KIND_NAMES.map((job_type) => ({ job_type, pending: 0, running: 0, completed: 0, failed: 0, oldest_pending_seconds: null, ...queue[job_type] })),
});

test("all is well while all works and nothing waits for long", () => {
  assert.deepEqual(verdictOf(status()), { level: "good", sentence: "All is well.", advice: "" });
  assert.equal(verdictOf(status({ queue: { train: { pending: 3, oldest_pending_seconds: 600 } } })).level, "good");
  assert.equal(verdictOf(status({ disk: { free_bytes: 10, total_bytes: 100, needed_bytes: 10 } })).level, "good");
});

test("each part that is away is named, and what to do", () => {
  const { level, sentence, advice } = verdictOf(status({ away: { artifacts: "It takes no files.", dispatcher: "It is stalled." } }));

  assert.equal(level, "bad");
  assert.equal(sentence, "The artifact store and the dispatcher do not work.");
  assert.match(advice, /synthgen doctor/);
});

test("a store that is away leaves the queue unknown, which is no trouble of its own", () => {
  const { sentence } = verdictOf({ ...status({ away: { store: "It is silent." } }), queue: null });

  assert.equal(sentence, "The metadata store does not work.");
});

test("a disk below what uploads need is told in bytes", () => {
  const { level, sentence } = verdictOf(status({ disk: { free_bytes: 1e9, total_bytes: 1e11, needed_bytes: 5e9 } }));

  assert.equal(level, "bad");
  assert.equal(sentence, "The disk is almost full: 1.0 GB are free, and uploads are refused below 5.0 GB.");
});

test("a queue that nobody works at is stuck, one that is worked at for long is slow", () => {
  const waiting = { pending: 2, oldest_pending_seconds: 7200 };

  assert.equal(verdictOf(status({ queue: { generate: waiting } })).sentence, "Generations have waited for 2.0 h, and nothing runs that they could wait for.");
  const slow = verdictOf(status({ queue: { generate: { ...waiting, running: 4 } } }));
  assert.equal(slow.level, "warn");
  assert.match(slow.sentence, /generations have waited for 2.0 h/);
});

test("trainings and reports wait for each other's CPUs, and for nobody else", () => {
  const waiting = { pending: 1, oldest_pending_seconds: 1200 }, running = { running: 1 };

  for (const [kind, other] of [["train", "report"], ["report", "train"]]) {
    assert.equal(verdictOf(status({ queue: { [kind]: waiting, [other]: running } })).level, "good");
    assert.equal(verdictOf(status({ queue: { [kind]: waiting, generate: running } })).level, "bad");
  }
  assert.equal(verdictOf(status({ queue: { generate: waiting, train: running } })).level, "bad");
});

test("a server that is silent, one that cannot answer and a key that went are told apart", () => {
  assert.equal(verdictOfSilence(new ApiError(0, "away", "")).sentence, "The server does not answer.");
  assert.match(verdictOfSilence(new ApiError(0, "away", "")).advice, /synthgen up/);
  assert.deepEqual(verdictOfSilence(new ApiError(401, "invalid_key", "The key is not known.")), { level: "warn", sentence: "The key is not known.", advice: "" });
  assert.match(verdictOfSilence(new ApiError(503, "store_unavailable", "The store is away.")).advice, /synthgen doctor/);
});

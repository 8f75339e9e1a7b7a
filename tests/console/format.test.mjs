import assert from "node:assert/strict";
import { test } from "node:test";

import { howFar } from "../../synthgen_ray/console/js/format.js";

test("how far a job is says what is known", () => {
  const job = { status: "running", progress: 0.4, message: "epoch 120 of 300", eta_seconds: 61.5 };

  assert.equal(howFar(job), "40 % · epoch 120 of 300 · about 62 s left");
  assert.equal(howFar({ ...job, message: "", eta_seconds: null }), "40 %");
  assert.equal(howFar({ ...job, status: "pending", message: "" }), "Waiting for a free place.");
  assert.equal(howFar({ ...job, status: "pending", message: "waiting for a store that is away" }), "Waiting for a store that is away.");
  assert.equal(howFar({ ...job, status: "failed", cancelled: true }), "Cancelled");
  assert.equal(howFar({ ...job, status: "failed", cancelled: false }), "It failed.");
});

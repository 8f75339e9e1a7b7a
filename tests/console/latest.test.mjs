import assert from "node:assert/strict";
import { test } from "node:test";

import { latest } from "../../synthgen_ray/console/js/latest.js";

const refused = async () => Promise.reject(new Error("refused"));

test("an answer that comes after that of a later call is not shown, nor is its refusal", async () => {
  const inTurn = latest(), shown = [], waiting = [];
  const slow = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const show = (answer) => shown.push(answer);

  const first = inTurn(slow, show), second = inTurn(slow, show), third = inTurn(async () => "third", show);
  await third;
  waiting[0].resolve("first");
  waiting[1].reject(new Error("refused"));
  await Promise.all([first, second]);

  assert.deepEqual(shown, ["third"]);
});

test("the refusal of the last one is told", async () => {
  await assert.rejects(latest()(refused, assert.fail), { message: "refused" });
});

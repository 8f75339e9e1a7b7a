import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../synthgen_ray/console/js/api.js";
import { poll } from "../../synthgen_ray/console/js/polling.js";

const isOpen = (status) => status === "open";

/** Follow what is open with these answers, one a look; an error is thrown. */
async function followed(answers, { controller = new AbortController(), onLook = () => {} } = {}) {
  const shown = [];
  const left = [...answers];
  const look = async () => {
    onLook();
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  await poll("open", isOpen, look, (seen) => shown.push(seen), controller.signal, 1);
  return { shown, unasked: left.length };
}

globalThis.document = Object.assign(new EventTarget(), { hidden: false });

test("it looks until nothing is open", async () => {
  assert.deepEqual(await followed(["open", "closed", "open"]), { shown: ["open", "closed"], unasked: 1 });
});

test("a look that fails is taken again, one that is refused is the last", async () => {
  assert.deepEqual(await followed([new ApiError(0, "away", ""), new ApiError(429, "rate_limited", ""), "closed"]), { shown: ["closed"], unasked: 0 });
  assert.deepEqual(await followed([new ApiError(404, "not_found", ""), "closed"]), { shown: [], unasked: 1 });
});

test("a view that was left is shown nothing", async () => {
  const controller = new AbortController();

  assert.deepEqual(await followed(["open", "closed"], { controller, onLook: () => controller.abort() }), { shown: [], unasked: 1 });
});

test("a tab that is hidden asks for nothing until it is seen again", async () => {
  let looks = 0;
  document.hidden = true;
  const all = followed(["closed"], { onLook: () => looks++ });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(looks, 0);

  document.hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));

  assert.deepEqual((await all).shown, ["closed"]);
});

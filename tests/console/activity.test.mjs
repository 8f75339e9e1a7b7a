import assert from "node:assert/strict";
import { test } from "node:test";

import { stretches, withLook } from "../../synthgen_ray/console/js/activity.js";

const MINUTE = 60_000;
const queue = [{ pending: 2, running: 1 }, { pending: 3, running: 0 }];
const at = (moment) => ({ at: moment, pending: 0, running: 0 });

test("a look adds up all kinds", () => {
  assert.deepEqual(withLook([at(1)], 2, queue), [at(1), { at: 2, pending: 5, running: 1 }]);
});

test("looks of the last hour are kept, and none of the future of a clock that was set back", () => {
  const kept = withLook([at(0), at(30 * MINUTE), at(90 * MINUTE)], 61 * MINUTE, queue);

  assert.deepEqual(kept.map((look) => look.at), [30 * MINUTE, 61 * MINUTE]);
});

test("where nobody looked no line is drawn", () => {
  assert.deepEqual(stretches([]), []);
  assert.deepEqual(stretches([at(0), at(5000), at(10 * MINUTE), at(10 * MINUTE + 5000)]), [[at(0), at(5000)], [at(10 * MINUTE), at(10 * MINUTE + 5000)]]);
});

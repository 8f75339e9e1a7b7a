import assert from "node:assert/strict";
import { test } from "node:test";

import { curlCommand } from "../../synthgen_ray/console/js/curl_command.js";
import { exact, numberOf, toJson } from "../../synthgen_ray/console/js/json.js";

test("a whole number that is read and sent, or shown in a command, keeps each digit", () => {
  const wishes = '{"conditions":{"code":[9007199254740993,-7,0.5,1e+300,"9007199254740993",null]}}';

  const read = JSON.parse(wishes, exact);

  assert.equal(toJson(read), wishes);
  assert.match(toJson(read, 2), /^ {6}9007199254740993,$/m);
  assert.ok(curlCommand({ method: "POST", path: "/", json: read }, "").includes(wishes));
});

test("a whole number that is typed keeps each digit", () => {
  assert.deepEqual(["9007199254740993", "-7", "0.5", "1e300"].map(numberOf), [9007199254740993n, -7, 0.5, 1e300]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { get, send, upload, watch } from "../../synthgen_ray/console/js/api.js";
import { exact } from "../../synthgen_ray/console/js/json.js";

const CALL = { method: "POST", path: "/api/datasets/upload", form: { name: "birds" } };
const LEFT_OUT = /no answer of its own/;

globalThis.sessionStorage = { getItem: () => "secret" };

/** Whoever is asked answers so, by either way of asking. */
function given(body, status, type) {
  globalThis.fetch = async () => new Response(body, { status, headers: { "content-type": type } });
  globalThis.XMLHttpRequest = class {
    upload = {};
    status = status;
    responseText = body;
    open() {}
    setRequestHeader() {}
    getResponseHeader = () => type;
    send() { this.onload(); }
  };
}

test("a refusal is told in the server's words", async () => {
  given(JSON.stringify({ code: "no_columns", detail: "The table has no columns.", errors: [{ field: "file", message: "is empty" }] }), 400, "application/problem+json");

  const told = { status: 400, code: "no_columns", message: "The table has no columns.", fields: ["file: is empty"] };
  await assert.rejects(get("/api/datasets"), told);
  await assert.rejects(upload(CALL, () => {}), told);
});

test("what a proxy says instead is known for that, in whatever form", async () => {
  for (const [body, status, type] of [['{"errors": ["no"]}', 403, "application/json"], ["null", 502, "application/json"], ["<p>Log in", 200, "text/html"]]) {
    given(body, status, type);

    await assert.rejects(get("/api/datasets"), { name: "Error", code: "unknown", message: LEFT_OUT }, body);
    await assert.rejects(upload(CALL, () => {}), { name: "Error", code: "unknown", message: LEFT_OUT }, body);
  }
});

test("rows have each digit of their whole numbers where that is wished", async () => {
  given('[{"id": 9007199254740993, "small": -7, "share": 0.5, "huge": 1e+300, "code": "9007199254740993"}]', 200, "application/json");
  const call = { method: "POST", path: "/api/synthgen/models/m/sample" };

  const [row] = await send(call, exact);

  assert.deepEqual(row, { id: 9007199254740993n, small: -7, share: 0.5, huge: 1e300, code: "9007199254740993" });
  assert.equal((await send(call))[0].id, 9007199254740992);
});

test("an upload answers what was made", async () => {
  given('{"dataset_id": "d"}', 201, "application/json");

  assert.deepEqual(await upload(CALL, () => {}), { dataset_id: "d" });
});

test("a job of which no stream is left is looked at", async (t) => {
  t.mock.method(globalThis, "setTimeout", (wake) => setImmediate(wake));
  const statuses = ["running", "completed"], seen = [];
  globalThis.fetch = async (path) => path.endsWith("/events")
    ? Response.json({ code: "too_many_open" }, { status: 429 })
    : Response.json({ status: statuses.shift() });

  for await (const job of watch("j", new AbortController().signal)) seen.push(job.status);

  assert.deepEqual(seen, ["running", "completed"]);
});

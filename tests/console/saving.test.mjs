import assert from "node:assert/strict";
import { test } from "node:test";

import { save } from "../../synthgen_ray/console/js/saving.js";

const CALL = { method: "GET", path: "/api/x/download", to: "synthetic.csv" };
const LARGE = 1e9;

globalThis.sessionStorage = { getItem: () => "secret" };

/** A browser that may ask for a place, and a server whose answer may break off. */
function given({ pick, breaksOff = false } = {}) {
  const disk = { chunks: [], isClosed: false, isAborted: false };
  const writable = () => new WritableStream({
    write: (chunk) => void disk.chunks.push(...chunk), close: () => void (disk.isClosed = true), abort: () => void (disk.isAborted = true),
  });
  globalThis.window = { showSaveFilePicker: pick ?? (async ({ suggestedName }) => ({ name: suggestedName, createWritable: async () => writable() })) };
  globalThis.fetch = async () => new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([1, 2]));
      if (breaksOff) controller.error(new TypeError("network error"));
      else controller.enqueue(new Uint8Array([3, 4]));
      if (!breaksOff) controller.close();
    },
  }), { headers: { "content-length": "4" } });
  return disk;
}

test("a large file is written to the disk as it comes", async () => {
  const disk = given();
  const shares = [];

  assert.equal(await save(CALL, (share) => shares.push(share), LARGE), "synthetic.csv");

  assert.deepEqual(disk, { chunks: [1, 2, 3, 4], isClosed: true, isAborted: false });
  assert.deepEqual(shares, [0.5, 1]);
});

test("one that breaks off is no file", async () => {
  const disk = given({ breaksOff: true });

  await assert.rejects(save(CALL, () => {}, LARGE), { code: "broke_off" });

  assert.equal(disk.isClosed, false);
  assert.equal(disk.isAborted, true);
});

test("where no place is chosen nothing is fetched", async () => {
  given({ pick: async () => Promise.reject(new DOMException("", "AbortError")) });
  globalThis.fetch = () => assert.fail("it was fetched");

  await assert.rejects(save(CALL, () => {}, LARGE), { code: "not_chosen" });
});

test("a small file asks for no place, and one of a browser that cannot either", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clicked = [];
  globalThis.document = { createElement: () => ({ click() { clicked.push(this.download); } }) };
  given({ pick: () => assert.fail("it asked") });
  await save(CALL, () => {}, 4);
  given();
  globalThis.window = {};
  await save(CALL, () => {}, LARGE);

  assert.deepEqual(clicked, ["download", "download"]);
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { curlCommand } from "../../synthgen_ray/console/js/curl_command.js";

const HOSTILE = "it's $(id) `id` \"$HOME\" \\ ; rm -rf / # \n@x, é";
const SHELL = `curl() { printf '%s\\0' "$@"; }\nSYNTHGEN_API_KEY=secret\n`;

/** What a shell hands to curl. */
function argumentsOf(call) {
  const told = execFileSync("sh", ["-c", SHELL + curlCommand(call, "http://localhost:8888")], { encoding: "utf8" });
  return told.split("\0").slice(0, -1);
}

test("a call is one command, with the key in a variable", () => {
  assert.deepEqual(argumentsOf({ method: "DELETE", path: "/api/x?force=true" }), [
    "-X", "DELETE", "http://localhost:8888/api/x?force=true", "-H", "Authorization: Bearer secret"]);
});

test("whatever a name holds reaches the server as it is", () => {
  const told = argumentsOf({ method: "POST", path: "/api/x", json: { [HOSTILE]: HOSTILE } });

  assert.deepEqual(JSON.parse(told.at(-1)), { [HOSTILE]: HOSTILE });
  assert.equal(told.at(-2), "--json");
});

test("a text of a form is never read from a file, and a file's name is quoted for curl too", () => {
  const told = argumentsOf({ method: "POST", path: "/api/x", form: { name: "@/etc/passwd", file: new File([], 'a "b";c\\.csv') } });

  assert.deepEqual(told.slice(-4), ["--form-string", "name=@/etc/passwd", "-F", 'file=@"a \\"b\\";c\\\\.csv"']);
});

test("a download says where its file goes", () => {
  assert.deepEqual(argumentsOf({ method: "GET", path: "/api/x", to: "it's.csv" }).slice(-2), ["-o", "it's.csv"]);
});

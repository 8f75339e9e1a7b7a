import assert from "node:assert/strict";
import { test } from "node:test";

import { parseCsv } from "../../synthgen_ray/console/js/csv.js";

test("a quoted cell may hold commas, quotes and line ends", () => {
  assert.deepEqual(parseCsv('a,b\n"x, ""y""\nz",2\n', true), [["a", "b"], ['x, "y"\nz', "2"]]);
});

test("lines may end as on Windows", () => {
  assert.deepEqual(parseCsv("a,b\r\n1,\r\n", true), [["a", "b"], ["1", null]]);
});

test("a missing cell is none, an empty text a pair of quotes", () => {
  assert.deepEqual(parseCsv('a,b,c\n,"",x\n"",,""', true), [["a", "b", "c"], [null, "", "x"], ["", null, ""]]);
});

test("a cell that is alone in its line is missing where it is empty", () => {
  assert.deepEqual(parseCsv('a\n""\nx\n""', true), [["a"], [null], ["x"], [null]]);
});

test("a last line that may be cut is left out", () => {
  assert.deepEqual(parseCsv("a,b\n1,2\n3,", false), [["a", "b"], ["1", "2"]]);
});

test("a last line without an end is kept where all is there", () => {
  assert.deepEqual(parseCsv("a\n1\n2", true), [["a"], ["1"], ["2"]]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { distribution } from "../../synthgen_ray/console/js/distribution.js";

test("numbers fall into equal ranges, and missing ones into none", () => {
  const shown = distribution(["0", "1", "9", "10", "", null], "integer", { bins: 2 });

  assert.deepEqual(shown, { kind: "ranges", low: 0, high: 10, shares: [0.5, 0.5], isTime: false, hasClock: false });
});

test("a column of one number has one range", () => {
  const shown = distribution([3, 3, 3], "float", { bins: 2 });

  assert.deepEqual(shown?.shares, [1, 0]);
});

test("dates are those of their format, and times of day are categories", () => {
  const shown = distribution(["05/03/2024", "31/01/2024"], "datetime", { format: "%d/%m/%Y" });

  assert.deepEqual([shown?.low, shown?.high].map((moment) => new Date(moment).toISOString().slice(0, 10)), ["2024-01-31", "2024-03-05"]);
  assert.equal(shown?.hasClock, false);
  assert.equal(distribution(["2024-01-31", "2024-01-31T14:15:51"], "datetime")?.hasClock, true);
  assert.equal(distribution(["14:15", "14:30"], "datetime", { format: "%H:%M" })?.kind, "categories");
});

test("categories come by their frequency, the rest as a number", () => {
  const cells = [..."aaabbcdefghij"];

  const shown = distribution(cells, "categorical");

  assert.deepEqual(shown?.values.slice(0, 2), [["a", 3 / 13], ["b", 2 / 13]]);
  assert.equal(shown?.others, 2);
});

test("what was declared a number and is none is shown as it is", () => {
  assert.equal(distribution(["low", "high"], "integer")?.kind, "categories");
});

test("an id has no distribution, nor has a column without a value", () => {
  assert.equal(distribution(["N1", "N2"], "id"), null);
  assert.equal(distribution(["", null], "float"), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { END_OF_DAY, askRange, askShares, fault, inWords, leave, toggle, wholePercents, wishes } from "../../synthgen_ray/console/js/asked.js";

const nothing = () => ({ conditions: {}, shares: null });

test("a second value makes it any of both, and a missing one is a value too", () => {
  const asked = nothing();
  toggle(asked, "island", "Dream");
  assert.deepEqual(wishes(asked), { conditions: { island: "Dream" } });
  toggle(asked, "island", null);
  assert.deepEqual(wishes(asked), { conditions: { island: ["Dream", null] } });
  assert.deepEqual(inWords(asked), [["island", "= Dream or missing"]]);
  toggle(asked, "island", "Dream");
  assert.deepEqual(wishes(asked), { conditions: { island: null } });
  assert.deepEqual(inWords(asked), [["island", "is missing"]]);
  toggle(asked, "island", null);
  assert.deepEqual(wishes(asked), {});
});

test("missing takes the place of a range, and a range of missing", () => {
  const asked = nothing();
  askRange(asked, "mass", { min: 3000 });
  toggle(asked, "mass", null);
  assert.deepEqual(asked.conditions, { mass: null });
  askRange(asked, "mass", { max: 4000 });
  assert.deepEqual(asked.conditions, { mass: { max: 4000 } });
  askRange(asked, "mass", {});
  assert.deepEqual(asked.conditions, {});
});

test("a range of days is told without the end of its last one", () => {
  const asked = nothing();
  askRange(asked, "seen", { min: "2024-01-01", max: `2024-01-31${END_OF_DAY}` });
  assert.deepEqual(inWords(asked), [["seen", "from 2024-01-01 to 2024-01-31"]]);
  askRange(asked, "seen", { max: "2024-01-31" });
  assert.deepEqual(inWords(asked), [["seen", "up to 2024-01-31"]]);
});

test("a column has a condition or shares, and one column alone has shares", () => {
  const asked = nothing();
  toggle(asked, "island", "Dream");
  askShares(asked, "island", { Dream: 50, Biscoe: 50 });
  assert.deepEqual(wishes(asked), { distribution: { island: { Dream: 0.5, Biscoe: 0.5 } } });
  askShares(asked, "sex", { male: 100, female: 0 });
  assert.deepEqual(wishes(asked), { distribution: { sex: { male: 1, female: 0 } } });
  assert.deepEqual(inWords(asked), [["sex", "male 100 %"]]);
  toggle(asked, "sex", "male");
  assert.deepEqual(wishes(asked), { conditions: { sex: "male" } });
  leave(asked, "sex");
  assert.deepEqual(asked, nothing());
});

test("a hostile name of a column is a name", () => {
  for (const name of ["constructor", "__proto__"]) {
    const asked = nothing();
    askRange(asked, name, { min: 1 });
    assert.equal(JSON.stringify(wishes(asked)), `{"conditions":{"${name}":{"min":1}}}`);
    toggle(asked, name, "x");
    assert.equal(JSON.stringify(wishes(asked)), `{"conditions":{"${name}":"x"}}`);
    toggle(asked, name, "x");
    assert.deepEqual(asked, nothing());
    askShares(asked, name, { [name]: 100 });
    assert.equal(JSON.stringify(wishes(asked)), `{"distribution":{"${name}":{"${name}":1}}}`);
  }
});

test("shares that do not add up are told by a sentence", () => {
  const asked = nothing();
  assert.equal(fault(asked), null);
  askShares(asked, "x", { a: 33.3, b: 33.3, c: 33.4 });
  assert.equal(fault(asked), null);
  askShares(asked, "x", { a: 60, b: 30 });
  assert.equal(fault(asked), "The shares of “x” add up to 90 %; they must add up to 100 %.");
  askShares(asked, "x", { a: 150, b: -50 });
  assert.equal(fault(asked), "Each share is a number from 0 to 100.");
});

test("whole per cents are together 100", () => {
  assert.deepEqual(wholePercents([1 / 3, 1 / 3, 1 / 3]), [34, 33, 33]);
  assert.deepEqual(wholePercents([0.5]), [100]);
});

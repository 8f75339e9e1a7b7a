import assert from "node:assert/strict";
import { test } from "node:test";

import { momentReader } from "../../synthgen_ray/console/js/dates.js";

/** @param {string | null} format @param {string} text */
const read = (format, text) => new Date(momentReader(format)(text)).toISOString();

test("a date is read in the format of its column", () => {
  for (const [format, text, moment] of [
    ["%d/%m/%Y", "05/03/2024", "2024-03-05T00:00"],
    ["%-m/%-d/%Y %-I:%M %p", "1/31/2024 2:15 PM", "2024-01-31T14:15"],
    ["%m/%d/%Y %I:%M:%S.%f%P", "01/31/2024 12:15:00.5am", "2024-01-31T00:15"],
    ["%d-%^b-%y", "31-JAN-69", "1969-01-31T00:00"],
    ["%d.%m.%y", "01.02.68", "2068-02-01T00:00"],
    ["%B %d, %Y", "January 31, 2024", "2024-01-31T00:00"],
    ["%Y%m%d", "20240131", "2024-01-31T00:00"],
    ["%m/%Y", "02/2024", "2024-02-01T00:00"],
    ["%Y-%m-%d %H:%M:%S", "2024-01-31 14:15", "2024-01-31T14:15"],
    ["%Y-%m-%d %H:%M:%S.%3f UTC", "2024-01-31 14:15:51.123 UTC", "2024-01-31T14:15"],
    [null, "2024-01-31", "2024-01-31T00:00"],
  ]) assert.equal(read(format, text).slice(0, 16), moment, text);
});

test("the day is the one that is written, wherever the browser is and whatever the zone", () => {
  assert.equal(read(null, "2024-01-31T23:59:59.5"), "2024-01-31T23:59:59.000Z");
  assert.equal(read("%Y-%m-%d %H:%M:%S%z", "2024-01-31 00:15:51 +02:00"), "2024-01-31T00:15:51.000Z");
});

test("what is no date in that format, and a time of no day, are none", () => {
  for (const [format, text] of [["%d/%m/%Y", "2024-01-31"], ["%d/%m/%Y", ""], ["%H:%M", "14:15"], [null, "14:15"]]) {
    assert.ok(Number.isNaN(momentReader(format)(text)), text);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../synthgen_ray/console/js/api.js";
import { action } from "../../synthgen_ray/console/js/components/action.js";

class Element {
  isConnected = true;
  children = [];
  setAttribute() {}
  addEventListener(event, listener) { this[event] = listener; }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
}

const corner = new Element();
globalThis.Node = Element;
globalThis.document = { createElement: () => new Element(), createTextNode: (text) => text, getElementById: () => corner };
globalThis.location = { hash: "#/here" };

const made = (act) => action("Make it", () => ({ method: "POST", path: "/api/projects" }), act);

test("an action leads on, but nobody who has left meanwhile", async () => {
  const { button, place } = made(async () => "#/made");
  await button.click();
  assert.equal(location.hash, "#/made");

  place.isConnected = false;
  location.hash = "#/elsewhere";
  await button.click();
  assert.equal(location.hash, "#/elsewhere");
});

test("what went wrong stands beside its button, or in the corner once that is gone", async (t) => {
  t.mock.method(globalThis, "setTimeout", () => {});
  const { button, place } = made(async () => { throw new ApiError(409, "name_taken", "The name is taken."); });
  await button.click();
  assert.equal(place.children[0].children[0].children[0], "The name is taken.");
  assert.deepEqual(corner.children, []);

  place.isConnected = false;
  await button.click();
  assert.equal(corner.children[0].children[0], "The name is taken.");
});

test("a button that was pressed twice acts once", async () => {
  let acted = 0;
  const { button } = made(async () => { acted += 1; });

  await Promise.all([button.click(), button.click()]);
  await button.click();

  assert.equal(acted, 2);
});

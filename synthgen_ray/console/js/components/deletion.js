/** Deletes something for good, once it was asked twice; the second time the command is shown too. */

import { send } from "../api.js";
import { action } from "./action.js";
import { confirmed } from "./confirm.js";
import { notify } from "./notices.js";

/**
 * @param {string} kind As in “Delete the model”. @param {string} name @param {string} path
 * @param {string} consequence @param {() => string | void} onDeleted Tells where that leads. @param {string} [look]
 */
export function deletion(kind, name, path, consequence, onDeleted, look = "danger") {
  const text = `Delete the ${kind}`;
  const { button, place } = action(text, () => ({ method: "DELETE", path }), async (call) => {
    if (!(await confirmed(`Delete “${name}”?`, consequence, text, call))) return;
    await send(call);
    notify(`“${name}” is deleted.`);
    return onDeleted();
  }, look);
  return { button, place };
}

/** @param {{id: string, name: string}} model @param {() => string | void} onDeleted @param {string} [look] */
export const deletionOfModel = (model, onDeleted, look) =>
  deletion("model", model.name, `/api/synthgen/models/${model.id}`, "The model, its jobs, its reports and their files are gone for good.", onDeleted, look);

/** Deletes a model, once it was asked twice. */

import { remove } from "../api.js";
import { action } from "../components/action.js";
import { confirmed } from "../components/confirm.js";
import { notify } from "../components/notices.js";

/** @param {{id: string, name: string}} model @param {() => void} onDeleted @param {string} look */
export function deletionOfModel(model, onDeleted, look) {
  return action("Delete the model", async () => {
    const isSure = await confirmed(`Delete “${model.name}”?`, "The model, its jobs, its reports and their files are gone for good.", "Delete the model");
    if (!isSure) return;
    await remove(`/api/synthgen/models/${model.id}`);
    notify(`“${model.name}” is deleted.`);
    onDeleted();
  }, look);
}

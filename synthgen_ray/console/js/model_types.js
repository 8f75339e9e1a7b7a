/** The types of models that the server trains. They are the same for everybody, and asked for once. */

import { get } from "./api.js";

/** @typedef {import("./types.js").ModelType} ModelType */

/** @type {ModelType[] | null} */
let known = null;

/** @param {AbortSignal} signal @returns {Promise<ModelType[]>} */
export async function modelTypes(signal) {
  known ??= (await get("/api/synthgen/model-types", signal)).model_types;
  return /** @type {ModelType[]} */ (known);
}

/** From the id of a type to its name. @param {AbortSignal} signal @returns {Promise<(id: string) => string>} */
export async function typeNames(signal) {
  const types = await modelTypes(signal);
  return (id) => types.find((type) => type.id === id)?.name ?? id;
}

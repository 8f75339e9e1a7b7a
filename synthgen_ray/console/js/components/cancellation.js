/** Cancels a job that has not ended. */

import { send } from "../api.js";
import { action } from "./action.js";

/** @param {string} text @param {string} jobId @param {() => void} [onCancelled] @param {string} [look] */
export const cancellation = (text, jobId, onCancelled, look) =>
  action(text, () => ({ method: "POST", path: `/api/synthgen/jobs/${jobId}/cancel` }), async (call) => {
    await send(call);
    onCancelled?.();
  }, look);

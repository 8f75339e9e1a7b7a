/** Looks at something again and again while it may still change. */

import { ApiError } from "./api.js";

const EVERY_MS = 3000;

/**
 * Until nothing is open or the view is left; a tab that nobody sees asks for nothing.
 * @template T
 * @param {T} seen What was seen first. @param {(seen: T) => boolean} isOpen @param {() => Promise<T>} look
 * @param {(seen: T) => void} show @param {AbortSignal} signal @param {number} [everyMs]
 */
export async function poll(seen, isOpen, look, show, signal, everyMs = EVERY_MS) {
  while (isOpen(seen)) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    while (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
    if (signal.aborted) return;
    try {
      seen = await look();
    } catch (error) {
      if (signal.aborted || isFinal(error)) return;
      continue;
    }
    if (!signal.aborted) show(seen);
  }
}

/** The next look would be refused as well. @param {unknown} error */
export const isFinal = (error) => error instanceof ApiError && [401, 403, 404].includes(error.status);

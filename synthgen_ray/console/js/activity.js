/** How many jobs waited and ran, as it was seen from look to look. */

/** @typedef {{at: number, pending: number, running: number}} Seen `at` in milliseconds. */

const LONGEST_MS = 3_600_000;
const GAP_MS = 30_000;

/** @param {Seen[]} seen @param {number} at @param {import("./types.js").QueueFigures[]} queue Adds a look; what is older than an hour goes. */
export function withLook(seen, at, queue) {
  const total = (/** @type {"pending" | "running"} */ status) => queue.reduce((sum, kind) => sum + kind[status], 0);
  return [...seen.filter((look) => at - look.at <= LONGEST_MS && look.at < at), { at, pending: total("pending"), running: total("running") }];
}

/** Looks without a gap between them: what happened while nobody looked is not known. @param {Seen[]} seen @returns {Seen[][]} */
export function stretches(seen) {
  /** @type {Seen[][]} */
  const found = [];
  for (const look of seen) {
    const last = found.at(-1)?.at(-1);
    if (last && look.at - last.at <= GAP_MS) found.at(-1)?.push(look);
    else found.push([look]);
  }
  return found;
}

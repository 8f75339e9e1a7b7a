/** Addresses after the `#`: each view has one, so that a link leads back to it. */

/**
 * @typedef {{params: string[], query: URLSearchParams, signal: AbortSignal}} Visit `signal` tells when it is left.
 * @typedef {(visit: Visit) => Promise<Node>} View
 */

const ID = "([0-9a-f-]{36})";

/** @param {{[path: string]: View}} routes `:id` stands for an id. */
export function router(routes) {
  const known = Object.entries(routes).map(([path, view]) => ({
    pattern: new RegExp(`^${path.replaceAll(":id", ID)}$`),
    view,
  }));
  /** @param {string} hash @returns {{view: View, params: string[], query: URLSearchParams} | null} */
  return (hash) => {
    const [path, query] = (hash.replace(/^#/, "") || "/").split("?");
    for (const { pattern, view } of known) {
      const found = pattern.exec(path);
      if (found) return { view, params: found.slice(1), query: new URLSearchParams(query) };
    }
    return null;
  };
}

/** @param {string} hash */
export function go(hash) {
  location.hash = hash;
}

/** The first rows of a dataset, through its download: a key that may not download it sees none of them. */

import { head } from "./api.js";
import { parseCsv } from "./csv.js";

const MOST_CHARACTERS = 400_000;

/**
 * @typedef {{columns: string[], rows: import("./csv.js").Cell[][]}} Preview
 *
 * @param {string} datasetId @param {number} version @param {AbortSignal} signal @returns {Promise<Preview>}
 */
export async function preview(datasetId, version, signal) {
  const path = `/api/datasets/${datasetId}/download?format=csv&version=${version}`;
  const { text, isWhole } = await head(path, MOST_CHARACTERS, signal);
  const [columns, ...rows] = parseCsv(text, isWhole);
  return { columns: /** @type {string[]} */ (columns), rows }; // none is without a name
}

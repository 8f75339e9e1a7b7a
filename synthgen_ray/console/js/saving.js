/** Saves files that are fetched with the key. A large one goes straight to the disk, where the browser lets a page do that. */

import { ApiError, bodyOf, fetchFile } from "./api.js";

/**
 * @typedef {{name: string, createWritable: () => Promise<WritableStream<Uint8Array>>}} ChosenFile
 * @typedef {(options: {suggestedName?: string}) => Promise<ChosenFile>} Picker Of Chromium; others have none.
 */

const LARGE_BYTES = 100e6;
const KEPT_MS = 60_000;
const BROKE_OFF = "The download broke off, and nothing was saved. Try again; the curl command does the same.";

/** @returns {Picker | undefined} */
const picker = () => /** @type {{showSaveFilePicker?: Picker}} */ (window).showSaveFilePicker?.bind(window);

export const canStream = () => picker() !== undefined;

/**
 * @param {import("./types.js").Call} call @param {(share: number | null) => void} onProgress null where its size is not known.
 * @param {number} [bytes] About how large it is, where that is known.
 * @returns {Promise<string>} Its name.
 */
export async function save(call, onProgress, bytes = 0) {
  const pick = bytes > LARGE_BYTES ? picker() : undefined;
  // Before anything is fetched: a browser asks for a place only right after a click.
  const file = pick && (await pick({ suggestedName: call.to }).catch(notChosen));
  const response = await fetchFile(call);
  const body = counted(response, onProgress);
  try {
    if (file) {
      await body.pipeTo(await file.createWritable()); // the file appears whole or not at all
      return file.name;
    }
    return offer(await new Response(body, { headers: { "content-type": "application/octet-stream" } }).blob(), nameOf(response));
  } catch {
    throw new ApiError(0, "broke_off", BROKE_OFF);
  }
}

/** @returns {never} */
function notChosen() {
  throw new ApiError(0, "not_chosen", "No place was chosen, so nothing was saved.");
}

/** @param {Response} response @param {(share: number | null) => void} onProgress @returns {ReadableStream<Uint8Array>} */
function counted(response, onProgress) {
  const total = Number(response.headers.get("content-length"));
  let taken = 0;
  return bodyOf(response).pipeThrough(new TransformStream({
    transform(block, further) {
      taken += block.length;
      onProgress(total ? taken / total : null);
      further.enqueue(block);
    },
  }));
}

/** @param {Response} response */
const nameOf = (response) => /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "download";

/** @param {Blob} content @param {string} name */
function offer(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
  return name;
}

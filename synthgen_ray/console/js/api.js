/** The REST API. Every refusal is an `ApiError` whose message is a sentence for the person at the screen. */

import { toJson } from "./json.js";
import { findKey } from "./session.js";

/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Call} Call */

export class ApiError extends Error {
  /** @param {number} status 0 where no answer came. @param {string} code @param {string} detail @param {string[]} fields */
  constructor(status, code, detail, fields = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

const RECONNECT_MS = 2000;
const AWAY = "The server does not answer. Is it still running? Nothing is lost: try again in a moment.";
const LEFT_OUT = "The server answered with something that is no answer of its own; a proxy may be in between.";

/** @param {unknown} problem @param {number} status */
function errorOf(problem, status) {
  const { code, detail, errors } =
    /** @type {{code?: string, detail?: string, errors?: {field: string, message: string}[]}} */ (problem);
  const fields = (errors ?? []).map((error) => `${error.field}: ${error.message}`);
  return new ApiError(status, code ?? "unknown", detail ?? LEFT_OUT, fields);
}

/**
 * @param {string} method @param {string} path @param {BodyInit | null} body
 * @param {{[name: string]: string}} headers @param {AbortSignal} [signal]
 * @returns {Promise<Response>} One that is fine.
 */
async function request(method, path, body, headers, signal) {
  const authorization = { Authorization: `Bearer ${findKey() ?? ""}` };
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, { method, body, headers: { ...headers, ...authorization }, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "away", AWAY);
  }
  return fine(response);
}

/** What stands between the server and us may refuse too, in any form. @param {Response} response */
async function fine(response) {
  if (response.ok) return response;
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  throw errorOf(isProblem ? await response.json() : {}, response.status);
}

/** @param {Response} response @param {typeof import("./json.js").exact} [revive] @returns {Promise<any>} */
const jsonOf = (response, revive) => response.text().then((text) => JSON.parse(text, revive)).catch((error) => {
  throw error instanceof SyntaxError ? new ApiError(0, "unknown", LEFT_OUT) : error;
});

/** @param {string} path @param {AbortSignal} [signal] @param {typeof import("./json.js").exact} [revive] @returns {Promise<any>} */
export const get = async (path, signal, revive) => jsonOf(await request("GET", path, null, {}, signal), revive);

/** Make a call that answers JSON. @param {Call} call @param {typeof import("./json.js").exact} [revive] @returns {Promise<any>} */
export async function send({ method, path, json }, revive) {
  const body = json === undefined ? null : toJson(json);
  return jsonOf(await request(method, path, body, body === null ? {} : { "Content-Type": "application/json" }), revive);
}

/** Make a call that answers a file. @param {Call} call */
export const fetchFile = ({ method, path }) => request(method, path, null, {});

/**
 * Upload a file; `fetch` cannot tell how far a body is, so this is the older way.
 * @param {Call} call @param {(share: number) => void} onProgress
 * @returns {Promise<any>}
 */
export function upload({ method, path, form = {} }, onProgress) {
  const body = new FormData();
  for (const [name, value] of Object.entries(form)) body.append(name, value);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("Authorization", `Bearer ${findKey() ?? ""}`);
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new ApiError(0, "away", AWAY));
    request.onload = () => {
      const headers = { "content-type": request.getResponseHeader("content-type") ?? "" };
      resolve(fine(new Response(request.responseText, { status: request.status, headers })).then(jsonOf));
    };
    request.send(body);
  });
}

/** The first bytes of a text, and whether they are all of it. @param {string} path @param {number} most @param {AbortSignal} signal */
export async function head(path, most, signal) {
  const response = await request("GET", path, null, {}, signal);
  const reader = bodyOf(response).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.length < most) {
    const { done, value } = await reader.read();
    if (done) return { text, isWhole: true };
    text += value;
  }
  await reader.cancel();
  return { text, isWhole: false };
}

/**
 * A job as it changes, until it has ended. A connection that breaks is made again: the job goes on meanwhile.
 * @param {string} id @param {AbortSignal} signal @returns {AsyncGenerator<Job>}
 */
export async function* watch(id, signal) {
  for (;;) {
    try {
      for await (const job of eventsOrOneLook(id, signal)) {
        yield job;
        if (job.status === "completed" || job.status === "failed") return;
      }
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status > 0 && error.status < 500 && error.status !== 429;
      if (signal.aborted || isRefused) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

/** A key has only so many streams open, as of many tabs. @param {string} id @param {AbortSignal} signal @returns {AsyncGenerator<Job>} */
async function* eventsOrOneLook(id, signal) {
  try {
    yield* events(id, signal);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 429)) throw error;
    yield await get(`/api/synthgen/jobs/${id}`, signal);
  }
}

/**
 * Server-sent events, read by `fetch`, for they need the key in a header.
 * @param {string} id @param {AbortSignal} signal @returns {AsyncGenerator<Job>}
 */
async function* events(id, signal) {
  const response = await request("GET", `/api/synthgen/jobs/${id}/events`, null, { Accept: "text/event-stream" }, signal);
  const reader = bodyOf(response).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = /** @type {string} */ (blocks.pop());
    for (const block of blocks) {
      const line = block.split("\n").find((part) => part.startsWith("data: "));
      if (line) yield JSON.parse(line.slice("data: ".length));
    }
  }
}

/** @param {Response} response */
export function bodyOf(response) {
  if (!response.body) throw new ApiError(0, "away", AWAY);
  return response.body;
}

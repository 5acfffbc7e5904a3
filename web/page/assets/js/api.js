/** Calls of the farm's public API. */

import { addressOf } from "./addresses.js";
import { keep, kept } from "./storage.js";

const KEY = "raner.key";
/** Milliseconds after which a server that does not answer counts as gone. */
const PATIENCE = 30_000;

/** An error that the server answered with, as RFC 9457 has it. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} title the problem's fixed short name
   * @param {string} detail
   * @param {number} retryAfter seconds, 0 where the server says nothing of them
   */
  constructor(status, title, detail, retryAfter) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/** The server did not answer. */
export class Unreachable extends Error {}

/**
 * Call the API and read its answer.
 * @param {string} method
 * @param {string} path as the farm itself calls it: "/api/v1/jobs"
 * @param {{body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, patience?: number}} options
 * @returns {Promise<any>}
 * @throws {Problem|Unreachable|DOMException} the last, an `AbortError`, where `signal` says so
 */
export async function call(method, path, { body, headers = {}, signal, patience = PATIENCE } = {}) {
  const sent = { Accept: "application/json", ...headers };
  const key = apiKey();
  if (key) sent["X-API-Key"] = key;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  // Not AbortSignal.any, which browsers of 2022 do not have.
  const given = new AbortController();
  const stop = () => given.abort();
  const timer = setTimeout(stop, patience);
  signal?.addEventListener("abort", stop, { once: true });
  /** @type {Response} */
  let response;
  let text;
  try {
    signal?.throwIfAborted();
    response = await fetch(addressOf(path), {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: given.signal,
      cache: "no-store",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
  const answer = parsed(text);
  if (response.ok && answer !== undefined) return answer;
  throw new Problem(
    // A 2xx that is no JSON comes from something between the page and the farm.
    response.ok ? 502 : response.status,
    answer?.title ?? response.statusText,
    answer?.detail ?? "",
    Number(response.headers.get("Retry-After")) || 0,
  );
}

/** The API key that this tab sends, or none. */
export function apiKey() {
  return kept(KEY, "sessionStorage") ?? "";
}

/** Send this key from now on, until the tab is closed. */
export function useApiKey(/** @type {string} */ key) {
  keep(KEY, key, "sessionStorage");
}

function parsed(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

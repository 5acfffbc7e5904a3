/** A job's life as a client sees it: submit, poll, cancel. */

import { call, Problem, Unreachable } from "./api.js";

const JOBS = "/api/v1/jobs";
/** Seconds that the server may hold an answer while the job goes on: how often progress is shown. */
const WAIT = 0.5;
/** Milliseconds between two tries where the server does not answer: the first, and the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;
/** Milliseconds for a text to get to the server: a megabyte over a slow line. */
const UPLOAD_PATIENCE = 120_000;
/** Answers that say that something between here and the workers is away for the moment. */
const AWAY = new Set([502, 503, 504]);
/** Those among them that are for the user to decide, by their title. */
const FULL = new Set(["Queue full", "Store full"]);

/**
 * @typedef {{id: string, status: string, model: string, offsets: string, progress: {done: number, total: number},
 *   created_at: string, started_at: ?string, finished_at: ?string, results?: Result[], texts?: string[],
 *   error?: string}} Job
 * @typedef {{entities: Entity[], counts: Record<string, number>, model: string, cached: boolean,
 *   error?: string}} Result
 *   `error`: why the text could not be read; it has no entities then
 * @typedef {{text: string, type: string, start: number, end: number, score: number, source: string, value?: string,
 *   low?: string, high?: string, currency?: string}} Entity
 *   an amount of money has a `value`, or as a range `low` and `high`, and a `currency`, as far as the text says them
 */

/**
 * Submit a text. Offsets will count UTF-16 code units, as JavaScript's strings do. However often it has to be tried,
 * one job comes of it.
 * @param {string} text
 * @param {string} model
 * @param {AbortSignal} signal
 * @param {(error: Error) => void} onRetry
 * @returns {Promise<Job>}
 */
export function submit(text, model, signal, onRetry) {
  const headers = { "Idempotency-Key": randomKey() };
  const body = { text, model, offsets: "utf16" };
  return persist(
    () => call("POST", `${JOBS}?wait=${WAIT}`, { body, headers, signal, patience: UPLOAD_PATIENCE }),
    signal,
    onRetry,
  );
}

/**
 * Poll a job until it has ended.
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {{onProgress: (job: Job) => void, onRetry: (error: Error) => void, texts?: boolean}} options `texts`: the
 *   texts are wanted too
 * @returns {Promise<Job>}
 */
export async function follow(id, signal, { onProgress, onRetry, texts = false }) {
  const address = `${JOBS}/${encodeURIComponent(id)}?wait=${WAIT}&offsets=utf16&texts=${texts}`;
  for (;;) {
    const job = await persist(() => call("GET", address, { signal }), signal, onRetry);
    if (hasEnded(job)) return job;
    onProgress(job);
  }
}

/** Cancel a job. What it had found is gone; where it has ended meanwhile, it stays as it ended. */
export async function cancel(/** @type {string} */ id) {
  try {
    await call("DELETE", `${JOBS}/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof Problem && (error.status === 409 || error.status === 404))) throw error;
  }
}

/** How many of the job's texts could not be read. */
export function countErrors(/** @type {Job} */ job) {
  return (job.results ?? []).filter(({ error }) => error !== undefined).length;
}

/** Whether the job's state is terminal. */
export function hasEnded(/** @type {Job} */ job) {
  return job.status !== "queued" && job.status !== "running";
}

/**
 * Try until the server answers; what it answers with, a problem of the request included, is the outcome.
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal} signal
 * @param {(error: Error) => void} onRetry
 */
async function persist(attempt, signal, onRetry) {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await attempt();
    } catch (error) {
      const away =
        error instanceof Unreachable ||
        (error instanceof Problem && AWAY.has(error.status) && !FULL.has(error.title));
      if (!away) throw error;
      onRetry(error);
      await delay(pause, signal);
    }
  }
}

function delay(/** @type {number} */ milliseconds, /** @type {AbortSignal} */ signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(undefined);
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** As good as crypto.randomUUID, which browsers keep from pages that came over plain HTTP. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

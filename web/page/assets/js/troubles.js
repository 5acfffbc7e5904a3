/** From errors to what the page says of them. */

import { Problem, Unreachable } from "./api.js";
import { FileProblem } from "./files.js";

/** The server's problems that have words of their own here, by their title. */
const TITLES = {
  "API key needed": "key",
  Busy: "busy",
  "Job not found": "expired",
  "Job too large": "long",
  "Model unserved": "unserved",
  "Queue full": "full",
  "Request too large": "long",
  "Store full": "full",
  "Store unavailable": "store",
  "Text too long": "long",
};

/**
 * What to say of an error.
 * @param {unknown} error
 * @returns {import("./status.js").Trouble}
 * @throws the error itself where it is none that is foreseen
 */
export function troubleOf(error) {
  if (error instanceof FileProblem) return { key: error.code, parameters: error.params };
  if (error instanceof Unreachable) return { key: "unreachable" };
  if (!(error instanceof Problem)) throw error;
  return {
    key: TITLES[error.title] ?? "other",
    parameters: { status: error.status, seconds: error.retryAfter || 5 },
    detail: error.detail,
  };
}

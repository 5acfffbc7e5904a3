/** A run's result to take along: as JSON, CSV or an HTML page, copied or saved. */

import { toCsv } from "./csv.js";
import { make } from "./dom.js";

export { asHtml } from "./annotated-html.js";

/** Milliseconds until a saved file's address is given back. Some browsers come to read it only after the click. */
const SAVED_WITHIN = 10_000;

/**
 * @typedef {{text: string, entities: import("./job.js").Entity[], model: string, counts: Record<string, number>,
 *   error?: string}} Run
 *   a text and those of its entities that are shown, in order and not overlapping, with UTF-16 offsets; `error`: why it
 *   could not be read, and has none
 */

/**
 * The result in the API's shape, with the text. Whatever the text has in it comes back: half a surrogate pair is
 * escaped.
 * @param {Run} run
 * @returns {string}
 */
export function asJson({ text, entities, model, counts, error }) {
  return `${JSON.stringify({ text, offsets: "utf16", entities, counts, model, error }, null, 2)}\n`;
}

/**
 * The entities, a row each; see `toCsv` for how a text that begins like a formula is written.
 * @param {Run} run
 * @returns {string}
 */
export function asCsv({ entities }) {
  const header = ["text", "type", "start", "end", "score", "source", "value", "low", "high", "currency"];
  return toCsv([header, ...entities.map((entity) => header.map((name) => entity[name] ?? ""))]);
}

/**
 * Put a text on the clipboard.
 * @param {string} text
 * @returns {Promise<void>}
 * @throws {Error} the browser did not let it
 */
export async function copy(text) {
  // The mark belongs to a file; pasted, it would be an invisible character before the text.
  const copied = text.replace(/^\ufeff/, "");
  try {
    await navigator.clipboard.writeText(copied);
  } catch {
    // Pages that came over plain HTTP have no such clipboard, and some browsers refuse it.
    copySelected(copied);
  }
}

/**
 * Save a text as a file, as a download does.
 * @param {string} name
 * @param {string} mime
 * @param {string} text
 */
export function save(name, mime, text) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type: mime }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN);
}

/** The way that browsers had before: select the text in a field, and copy. */
function copySelected(/** @type {string} */ text) {
  const focused = document.activeElement;
  const field = make("textarea", "sr-only");
  field.value = text;
  field.readOnly = true;
  document.body.append(field);
  try {
    field.select();
    if (!document.execCommand("copy")) throw new Error("the browser does not let the page copy");
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}

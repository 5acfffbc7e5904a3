/** The text of a Word document (.docx), as it reads with all tracked changes accepted. */

import { decodeText } from "./encoding.js";
import { FileProblem } from "./file-problem.js";
import { Slices } from "./slices.js";
import { attribute, xmlTokens } from "./xml.js";
import { readZipEntry, zipNames } from "./zip.js";

const USUAL_PART = "word/document.xml";
/**
 * Elements whose inside is no text of the document: what was deleted or moved away, the copy of a text box for old
 * programs, the reading above a character, and tab stops, which look like tabs.
 */
const SKIPPED = new Set(["del", "moveFrom", "Fallback", "rt", "tabs", "tabLst"]);
/** Elements that stand for a character. */
const CHARACTERS = { tab: "\t", ptab: "\t", br: "\n", cr: "\n", noBreakHyphen: "\u2011" };

/**
 * A document's paragraphs, a line each; so are those in table cells. A text box stands before the paragraph that it
 * hangs on. Headers, footers, notes and comments are parts of their own and are left out.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 * @throws {FileProblem}
 */
export async function docxText(bytes) {
  const names = zipNames(bytes);
  const xml = await partText(bytes, names.includes(USUAL_PART) ? USUAL_PART : await mainPart(bytes));
  const slices = new Slices();
  const reading = new Reading();
  for (const token of xmlTokens(xml)) {
    if (token.kind === "text") reading.text(token.text);
    else if (token.kind === "open") reading.open(token.name, token.attributes);
    else if (reading.close(token.name)) await slices.pause();
  }
  return reading.result();
}

/** Where the package says that the document is; Word on the web has other names for it than Word. */
async function mainPart(/** @type {Uint8Array} */ bytes) {
  for (const token of xmlTokens(await partText(bytes, "_rels/.rels"))) {
    if (token.kind !== "open" || !attribute(token.attributes, "Type")?.endsWith("/officeDocument")) continue;
    return (attribute(token.attributes, "Target") ?? "").replace(/^\//, "");
  }
  throw new FileProblem("file.broken");
}

async function partText(/** @type {Uint8Array} */ bytes, /** @type {string} */ name) {
  return decodeText(await readZipEntry(bytes, name)).text;
}

/** A document being read: what its elements do to its text. */
class Reading {
  #lines = [];
  /** @type {{text: string, goesOn: boolean}[]} Paragraphs begun; more than one inside a text box. */
  #begun = [];
  /** Text of a paragraph whose end was deleted: the next one goes on with it. */
  #carried = "";
  /** @type {string[]} Elements that are open. */
  #open = [];
  #skipped = 0;
  #isPreserved = false;
  #hasBody = false;

  open(/** @type {string} */ name, /** @type {string} */ attributes) {
    const paragraph = this.#begun.at(-1);
    const isDeletion = name === "del" || name === "moveFrom";
    // Among a paragraph's own properties this means its end.
    if (isDeletion && this.#open.at(-1) === "rPr" && paragraph) paragraph.goesOn = true;
    this.#open.push(name);
    if (SKIPPED.has(name)) this.#skipped += 1;
    if (this.#skipped > 0) return;
    if (name === "body") this.#hasBody = true;
    else if (name === "t") this.#isPreserved = attribute(attributes, "xml:space") === "preserve";
    else if (name === "p") {
      this.#begun.push({ text: this.#carried, goesOn: false });
      this.#carried = "";
    } else if (paragraph && Object.hasOwn(CHARACTERS, name)) paragraph.text += CHARACTERS[name];
  }

  /** Whether a paragraph has ended. */
  close(/** @type {string} */ name) {
    this.#open.pop();
    if (SKIPPED.has(name)) this.#skipped -= 1;
    else if (this.#skipped === 0 && name === "p") {
      const { text, goesOn } = this.#begun.pop();
      if (goesOn) this.#carried = text;
      else this.#lines.push(text);
      return true;
    }
    return false;
  }

  text(/** @type {string} */ text) {
    const paragraph = this.#begun.at(-1);
    if (this.#skipped > 0 || !paragraph || this.#open.at(-1) !== "t") return;
    // Line breaks in the markup are spaces in the document.
    const shown = text.replace(/[\t\r\n]/g, " ");
    paragraph.text += this.#isPreserved ? shown : shown.trim();
  }

  /** The text, once everything has been read. */
  result() {
    if (!this.#hasBody) throw new FileProblem("file.broken");
    return [...this.#lines, ...(this.#carried ? [this.#carried] : [])].join("\n");
  }
}

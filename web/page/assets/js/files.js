/** Files that someone opens or drops: what they say, as one text. */

import { countCharacters } from "./characters.js";
import { docxText } from "./docx.js";
import { decodeText } from "./encoding.js";
import { FileProblem } from "./file-problem.js";

export { FileProblem };

/** No encoding that is read here takes more bytes for a character, nor for a line break, nor for its mark. */
const LONGEST_CHARACTER = 4;
/** Largest document in bytes. Its pictures count here, so the number of characters says nothing. */
const LARGEST_DOCUMENT = 64 * 2 ** 20;
/** How a file of the kinds that Word used before .docx begins, and the encrypted ones still do. */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/** The stream that an encrypted document is in, as its file's directory writes it. */
const ENCRYPTED = Uint8Array.from([..."EncryptedPackage"].flatMap((letter) => [letter.charCodeAt(0), 0]));
/** Control characters that no text needs. */
const CONTROLS = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/g;
/** Largest share of them in a text. In programs, pictures, fonts, archives and PDF they are 10 to 87 %. */
const CONTROLS_SHARE = 0.05;

const READERS = { txt: readPlain, md: readPlain, docx: readDocument };

/**
 * Read a file whose name ends in .txt, .md or .docx.
 * @param {File} file
 * @param {number} maxCharacters of the text, as the API counts them: code points
 * @returns {Promise<{name: string, text: string, encoding: string}>} line breaks are all `\n`; `encoding` is what a
 *   text's bytes were read as, or `docx`
 * @throws {FileProblem}
 */
export async function readFile(file, maxCharacters) {
  const ending = file.name.toLowerCase().match(/\.(\w+)$/)?.[1] ?? "";
  if (!Object.hasOwn(READERS, ending)) throw new FileProblem("file.kind", { name: file.name });
  const read = await READERS[ending](file, maxCharacters);
  const text = read.text.replace(/\r\n?/g, "\n");
  const characters = countCharacters(text);
  if (characters > maxCharacters) throw new FileProblem("file.size", { characters, limit: maxCharacters });
  return { name: file.name, text, encoding: read.encoding };
}

async function readPlain(/** @type {File} */ file, /** @type {number} */ maxCharacters) {
  const fewest = Math.ceil(file.size / LONGEST_CHARACTER) - 1;
  if (fewest > maxCharacters) throw new FileProblem("file.size", { characters: fewest, limit: maxCharacters });
  const read = decodeText(await bytesOf(file));
  const controls = read.text.match(CONTROLS)?.length ?? 0;
  if (controls > CONTROLS_SHARE * read.text.length) throw new FileProblem("file.broken");
  return read;
}

async function readDocument(/** @type {File} */ file) {
  if (file.size > LARGEST_DOCUMENT) {
    throw new FileProblem("file.large", {
      megabytes: Math.ceil(file.size / 2 ** 20),
      limit: LARGEST_DOCUMENT / 2 ** 20,
    });
  }
  const bytes = await bytesOf(file);
  if (COMPOUND_FILE.every((byte, place) => bytes[place] === byte)) {
    throw isEncrypted(bytes) ? new FileProblem("file.password") : new FileProblem("file.kind", { name: file.name });
  }
  return { text: await docxText(bytes), encoding: "docx" };
}

async function bytesOf(/** @type {File} */ file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    // It was removed or changed since it was chosen, or is a folder.
    throw new FileProblem("file.broken");
  }
}

function isEncrypted(/** @type {Uint8Array} */ bytes) {
  for (let at = bytes.indexOf(ENCRYPTED[0]); at >= 0; at = bytes.indexOf(ENCRYPTED[0], at + 1)) {
    if (ENCRYPTED.every((byte, place) => bytes[at + place] === byte)) return true;
  }
  return false;
}

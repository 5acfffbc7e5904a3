/** The bytes of a text file as text, in whichever encoding they are. */

/** What a file may begin with to say its encoding. */
const MARKS = [
  { mark: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { mark: [0xff, 0xfe], encoding: "utf-16le" },
  { mark: [0xfe, 0xff], encoding: "utf-16be" },
  { mark: [0x84, 0x31, 0x95, 0x33], encoding: "gb18030" },
];
/** What it is without a mark. UTF-8 comes first: few texts in GB18030 happen to be UTF-8, and those are short. */
const UNMARKED = ["utf-8", "gb18030"];

/**
 * Read a text: by its byte order mark, else as UTF-8 if all of it is, else as GB18030, which covers GBK and GB2312.
 * A text damaged in both is read as the one that leaves fewer characters unreadable (U+FFFD).
 * @param {Uint8Array} bytes
 * @returns {{text: string, encoding: string}}
 */
export function decodeText(bytes) {
  const marked = MARKS.find(({ mark }) => mark.every((byte, place) => bytes[place] === byte));
  if (marked) return decoded(bytes.subarray(marked.mark.length), marked.encoding);
  for (const encoding of UNMARKED) {
    try {
      return decoded(bytes, encoding, true);
    } catch {
      // The next one then.
    }
  }
  const [first, second] = UNMARKED.map((encoding) => decoded(bytes, encoding));
  return unreadable(first.text) <= unreadable(second.text) ? first : second;
}

function decoded(/** @type {Uint8Array} */ bytes, /** @type {string} */ encoding, fatal = false) {
  return { text: new TextDecoder(encoding, { fatal, ignoreBOM: true }).decode(bytes), encoding };
}

function unreadable(/** @type {string} */ text) {
  return text.split("\ufffd").length - 1;
}

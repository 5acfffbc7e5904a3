/** Files inside a zip archive, as far as documents use it: one disk, no Zip64. */

import { FileProblem } from "./file-problem.js";

const END = 0x06054b50;
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
/** Largest file that is unpacked, in bytes: a document of a million characters, most of whose file is markup. */
const LARGEST = 128 * 2 ** 20;

/**
 * @typedef {{method: number, isEncrypted: boolean, crc: number, packed: number, size: number, at: number}} Entry
 *   `packed` and `size` in bytes, `at` the place of the local header
 */

/**
 * The names of the files in an archive.
 * @param {Uint8Array} bytes
 * @returns {string[]}
 * @throws {FileProblem}
 */
export function zipNames(bytes) {
  return [...entries(bytes).keys()];
}

/**
 * Unpack one file of an archive.
 * @param {Uint8Array} bytes
 * @param {string} name
 * @returns {Promise<Uint8Array>}
 * @throws {FileProblem}
 */
export async function readZipEntry(bytes, name) {
  const entry = entries(bytes).get(name);
  if (!entry) throw new FileProblem("file.broken");
  if (entry.isEncrypted) throw new FileProblem("file.password");
  if (entry.size > LARGEST) {
    throw new FileProblem("file.large", { megabytes: Math.ceil(entry.size / 2 ** 20), limit: LARGEST / 2 ** 20 });
  }
  const data = packedData(bytes, entry);
  const content = entry.method === STORED ? data : await inflated(data, entry.size);
  // Whatever else is wrong with the archive ends up here: a false place, another way of packing, lost bytes.
  if (crc32(content) !== entry.crc) throw new FileProblem("file.broken");
  return content;
}

/**
 * The central directory. Only it is sure to have the sizes: who writes an archive as a stream knows them afterwards.
 * @returns {Map<string, Entry>}
 */
function entries(/** @type {Uint8Array} */ bytes) {
  return withinBounds(bytes, (view) => {
    const end = endOf(view);
    const found = new Map();
    let at = view.getUint32(end + 16, true);
    for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
      const nameLength = view.getUint16(at + 28, true);
      found.set(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)), {
        isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        packed: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        at: view.getUint32(at + 42, true),
      });
      at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return found;
  });
}

/** The end record stands last, with a comment of unknown length behind it. */
function endOf(/** @type {DataView} */ view) {
  const last = view.byteLength - END_LENGTH;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at -= 1) {
    if (view.getUint32(at, true) === END && at + view.getUint16(at + 20, true) <= last) return at;
  }
  throw new FileProblem("file.broken");
}

/** The local header's name and extra field may have other lengths than the directory's. */
function packedData(/** @type {Uint8Array} */ bytes, /** @type {Entry} */ { packed, at }) {
  return withinBounds(bytes, (view) => {
    const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    return bytes.subarray(start, start + packed);
  });
}

/** A place beyond the archive's end is damage like any other. */
function withinBounds(/** @type {Uint8Array} */ bytes, /** @type {(view: DataView) => any} */ read) {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw error instanceof RangeError ? new FileProblem("file.broken") : error;
  }
}

/** Inflate to `size` bytes and not one more, whatever the data would grow to. */
async function inflated(/** @type {Uint8Array} */ data, /** @type {number} */ size) {
  const content = new Uint8Array(size);
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return content.subarray(0, filled);
      content.set(value, filled);
      filled += value.length;
    }
  } catch {
    // The data is damaged, or more than the directory says, which `set` refuses.
    reader.cancel().catch(() => {});
    throw new FileProblem("file.broken");
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(/** @type {Uint8Array} */ bytes) {
  let crc = 0xffffffff;
  for (let place = 0; place < bytes.length; place += 1) crc = CRC_TABLE[(crc ^ bytes[place]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

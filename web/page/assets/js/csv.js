/** Tables as comma-separated values (RFC 4180), for Excel as much as for programs. */

/** Without it Excel reads a file in the encoding of the machine's region. */
const BYTE_ORDER_MARK = "\ufeff";
/**
 * Beginnings that Excel, WPS, LibreOffice or Google Sheets take for a formula, with what they may drop before they look
 * at a cell: spaces, line breaks and what cannot be seen. Full-width signs count too, for input methods write them and
 * East Asian settings take them for their narrow twins.
 */
const FORMULA = /^(?:[\t\r\n]|[\s\p{C}]*[=+\-@＝＋－＠])/u;

/**
 * Rows as CSV. Numbers stay numbers; strings are all quoted, so that nothing in them separates cells, in whatever way
 * a program cuts them.
 *
 * A string that would be a formula gets one apostrophe before it, the spreadsheets' own sign for text; the rest is as
 * it was. So a program that reads the file back finds one `'` too many there: JSON has such texts untouched. A
 * character that no file can hold (NUL, half a surrogate pair) becomes U+FFFD.
 * @param {(string|number)[][]} rows
 * @returns {string} with a byte order mark; each line ends with CRLF
 */
export function toCsv(rows) {
  return BYTE_ORDER_MARK + rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(/** @type {string|number} */ value) {
  if (typeof value === "number") return String(value);
  const text = value.toWellFormed().replaceAll("\0", "\ufffd");
  return `"${FORMULA.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`;
}

/** Why a file cannot be opened. */

/**
 * A file that cannot be opened, and why: a code that the page says in words.
 *
 * - `file.kind` `{name}`: it is of a kind that is not read here.
 * - `file.size` `{characters, limit}`: it has more characters than one text may have. `characters` is exact, or, where
 *   the file was too large to be looked into, the fewest that it can have.
 * - `file.large` `{megabytes, limit}`: a document too large to be unpacked here.
 * - `file.password` `{}`: it is encrypted.
 * - `file.broken` `{}`: it is damaged, or not what its name says.
 */
export class FileProblem extends Error {
  /**
   * @param {"file.kind"|"file.size"|"file.large"|"file.password"|"file.broken"} code
   * @param {Record<string, string|number>} params
   */
  constructor(code, params = {}) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

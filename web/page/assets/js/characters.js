/** Characters as the API counts them. */

/**
 * Code points of a string, without making a list of them: a pair of surrogates is one, half a pair is one too.
 * @param {string} text
 * @returns {number}
 */
export function countCharacters(text) {
  let pairs = 0;
  for (let place = 1; place < text.length; place += 1) {
    if ((text.charCodeAt(place) & 0xfc00) === 0xdc00 && (text.charCodeAt(place - 1) & 0xfc00) === 0xd800) pairs += 1;
  }
  return text.length - pairs;
}

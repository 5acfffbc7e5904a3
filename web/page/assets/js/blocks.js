/** A text in blocks that the browser can lay out one by one, and leave alone while they are out of sight. */

/** UTF-16 code units of a block: no more where there is a place to cut, and no less than half where there is a choice. */
const MOST = 2_000;
/** What belongs to the character before it: combining marks, variation selectors, joiners, skin tones. */
const FOLLOWS = /[\p{M}\u200d\u{1f3fb}-\u{1f3ff}]/uy;
/** A text that is nothing but marks is cut all the same, after so many code units. */
const LONGEST = 2 * MOST;
const SENTENCE_END = /[。！？；!?;]/;

/**
 * Cut at line breaks, else behind sentences, never inside an entity.
 * @param {string} text
 * @param {{start: number, end: number}[]} entities in order, not overlapping
 * @returns {{start: number, end: number}[]} they follow on one another from 0 to the text's length
 */
export function cutIntoBlocks(text, entities) {
  const blocks = [];
  let entity = 0;
  for (let start = 0; start < text.length;) {
    let end = text.length - start <= MOST ? text.length : cutAfter(text, start);
    while (entity < entities.length && entities[entity].end <= end) entity += 1;
    if (entity < entities.length && entities[entity].start < end) end = entities[entity].end;
    blocks.push({ start, end });
    start = end;
  }
  return blocks;
}

function cutAfter(/** @type {string} */ text, /** @type {number} */ start) {
  const line = text.lastIndexOf("\n", start + MOST - 1);
  if (line >= start) return line + 1;
  for (let place = start + MOST; place > start + MOST / 2; place -= 1) {
    if (SENTENCE_END.test(text[place - 1])) return place;
  }
  let end = start + MOST;
  while (end < text.length && (isSecondHalf(text, end) || (end < start + LONGEST && follows(text, end)))) end += 1;
  return end;
}

function isSecondHalf(/** @type {string} */ text, /** @type {number} */ place) {
  return (text.charCodeAt(place) & 0xfc00) === 0xdc00 && (text.charCodeAt(place - 1) & 0xfc00) === 0xd800;
}

function follows(/** @type {string} */ text, /** @type {number} */ place) {
  FOLLOWS.lastIndex = place;
  return FOLLOWS.test(text) || text[place - 1] === "\u200d";
}

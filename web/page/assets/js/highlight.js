/** The text with its entities marked, made of text nodes only. */

import { cutIntoBlocks } from "./blocks.js";
import { make } from "./dom.js";
import { Slices } from "./slices.js";
import { typeClass } from "./types.js";

/** Size of a line in pixels, and of a character of it, as the style sheet has them: for blocks that nobody has seen yet. */
const LINE = 36;
const CHARACTER = 18;

/** Shows a text in a container. `marks` are the elements of the entities so far, in their order. */
export class Highlighter {
  /** @type {HTMLElement[]} */
  marks = [];
  #container;
  /** @type {import("./job.js").Entity[]} */
  #entities = [];
  #isShown = (/** @type {import("./job.js").Entity} */ _) => true;

  constructor(/** @type {HTMLElement} */ container) {
    this.#container = container;
  }

  /** Take away what is shown. */
  clear() {
    this.#container.replaceChildren();
    this.#container.dataset.rendered = "false";
    this.marks = [];
    this.#entities = [];
  }

  /**
   * Show a text, block by block; returns once all of it is there.
   * @param {string} text
   * @param {import("./job.js").Entity[]} entities with UTF-16 offsets, in order
   * @param {AbortSignal} signal
   */
  async show(text, entities, signal) {
    this.clear();
    this.#entities = entities;
    const slices = new Slices();
    const charactersOfLine = Math.max(1, Math.floor(this.#container.clientWidth / CHARACTER));
    let next = 0;
    for (const { start, end } of cutIntoBlocks(text, entities)) {
      await slices.pause(signal);
      const block = make("div", "block");
      // Each block finds its own direction; nothing in it can turn what stands around it.
      block.dir = "auto";
      block.style.setProperty("contain-intrinsic-size", `auto ${LINE * linesOf(text, start, end, charactersOfLine)}px`);
      let place = start;
      for (; next < entities.length && entities[next].end <= end; next += 1) {
        const entity = entities[next];
        if (entity.start > place) block.append(text.slice(place, entity.start));
        block.append(this.#mark(text.slice(entity.start, entity.end), entity, next));
        place = entity.end;
      }
      if (place < end) block.append(text.slice(place, end));
      this.#container.append(block);
    }
    this.#container.dataset.rendered = "true";
  }

  /** Show as marked only the entities of which `isShown` says so. */
  filter(/** @type {(entity: import("./job.js").Entity) => boolean} */ isShown) {
    this.#isShown = isShown;
    this.marks.forEach((mark, index) => mark.classList.toggle("entity-off", !isShown(this.#entities[index])));
  }

  #mark(/** @type {string} */ text, /** @type {import("./job.js").Entity} */ entity, /** @type {number} */ index) {
    const mark = make("mark", `entity ${typeClass(entity.type)}`, text);
    mark.dataset.type = mark.dataset.label = entity.type;
    mark.dataset.index = String(index);
    if (!this.#isShown(entity)) mark.classList.add("entity-off");
    this.marks.push(mark);
    return mark;
  }
}

/** About how many lines a part of a text takes. */
function linesOf(
  /** @type {string} */ text,
  /** @type {number} */ start,
  /** @type {number} */ end,
  /** @type {number} */ most,
) {
  let lines = 0;
  for (let place = start; place < end;) {
    const found = text.indexOf("\n", place);
    const next = found < 0 || found >= end ? end : found + 1;
    lines += Math.ceil((next - place) / most);
    place = next;
  }
  return lines;
}

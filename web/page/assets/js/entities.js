/** The distinct entities with their frequency, and the way through the occurrences of each. */

import { byId, make } from "./dom.js";
import { number, onLanguage, t } from "./language.js";
import { typeClass, typeName } from "./types.js";

/** Rows that are there at first, and so many more each time. */
const PAGE = 100;

/** What the farm reads over inside a name: line breaks, spaces between ideographs, marks of quotes, what nobody sees. */
const READ_OVER = /(?<=\p{Script=Han})[\s>\p{Default_Ignorable_Code_Point}]+(?=\p{Script=Han})/gu;

/** @typedef {{type: string, text: string, places: number[], at: number}} Group `at`: the place gone to last, or -1 */

/** The list. */
export class EntityList {
  #panel = byId("entities-panel");
  #list = byId("entities");
  #more = byId("more-entities");
  #search = byId("entity-search");
  /** @type {Group[]} */
  #groups = [];
  #rows = PAGE;
  #goTo;

  /** @param {(index: number) => void} goTo shows the entity of an index */
  constructor(goTo) {
    this.#goTo = goTo;
    this.#search.addEventListener("input", () => this.#restart());
    this.#more.addEventListener("click", () => {
      const first = this.#rows;
      this.#rows += PAGE;
      this.#draw();
      this.#list.children[first]?.querySelector("button")?.focus();
    });
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row) this.#jump(row);
    });
    onLanguage(() => this.#draw());
  }

  /**
   * List these entities.
   * @param {import("./job.js").Entity[]} entities
   * @param {(entity: import("./job.js").Entity) => boolean} isShown
   */
  show(entities, isShown) {
    /** @type {Map<string, Group>} */
    const groups = new Map();
    entities.forEach((entity, index) => {
      if (!isShown(entity)) return;
      const text = entity.text.replace(READ_OVER, "");
      const key = JSON.stringify([entity.type, text]);
      const group = groups.get(key) ?? { type: entity.type, text, places: [], at: -1 };
      group.places.push(index);
      groups.set(key, group);
    });
    this.#groups = [...groups.values()].sort((a, b) => b.places.length - a.places.length || a.places[0] - b.places[0]);
    this.#panel.hidden = entities.length === 0;
    this.#restart();
  }

  /** How many distinct entities are listed. */
  get distinct() {
    return this.#groups.length;
  }

  #restart() {
    this.#rows = PAGE;
    this.#draw();
  }

  #draw() {
    const wanted = this.#search.value.trim().toLowerCase();
    const found = this.#groups.filter(({ text }) => text.toLowerCase().includes(wanted));
    this.#list.replaceChildren(...found.slice(0, this.#rows).map((group) => make("li", "", this.#row(group))));
    this.#more.hidden = found.length <= this.#rows;
  }

  #row(/** @type {Group} */ group) {
    const row = make(
      "button",
      "entity-row",
      make("bdi", "entity-text", group.text),
      make("span", `entity-type ${typeClass(group.type)}`, group.type),
      make("span", "entity-count", `×${number(group.places.length)}`),
      make("span", "entity-position", position(group)),
    );
    row.type = "button";
    row.title = typeName(group.type);
    row.dataset.type = group.type;
    row.dataset.text = group.text;
    return row;
  }

  #jump(/** @type {HTMLElement} */ row) {
    const group = this.#groups.find(({ type, text }) => type === row.dataset.type && text === row.dataset.text);
    if (!group) return;
    group.at = (group.at + 1) % group.places.length;
    this.#goTo(group.places[group.at]);
    const shown = /** @type {HTMLElement} */ (row.querySelector(".entity-position"));
    shown.textContent = position(group);
    row.setAttribute("aria-description", t("entities.position", { at: group.at + 1, count: group.places.length }));
  }
}

function position(/** @type {Group} */ { at, places }) {
  return at < 0 ? "" : `${number(at + 1)}/${number(places.length)}`;
}

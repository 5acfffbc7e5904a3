/** Which entities are shown: those of the types that are on, with at least the lowest score. */

import { byId, make } from "./dom.js";
import { number, onLanguage } from "./language.js";
import { sortTypes, typeClass, typeName } from "./types.js";

/** The legend, which is a switch for each type, and the threshold. */
export class Filters {
  #legend = byId("legend");
  #threshold = byId("threshold");
  #value = byId("threshold-value");
  /** Percent; where the browser has kept the slider's place over a reload, that. */
  #lowest = Number(this.#threshold.value);
  /** @type {Set<string>} Types that are off; they stay off from one text to the next. */
  #off = new Set();
  /** @type {import("./job.js").Entity[]} */
  #entities = [];
  #onChange;

  constructor(/** @type {() => void} */ onChange) {
    this.#onChange = onChange;
    this.#legend.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { type } = button.dataset;
      if (!this.#off.delete(type)) this.#off.add(type);
      button.setAttribute("aria-pressed", String(!this.#off.has(type)));
      this.#onChange();
    });
    this.#threshold.addEventListener("input", () => this.#moved());
    onLanguage(() => this.#draw());
  }

  /** Whether an entity is shown. */
  isShown = (/** @type {import("./job.js").Entity} */ entity) => !this.#off.has(entity.type) && this.#isSure(entity);

  /** Filter these entities from now on. */
  setEntities(/** @type {import("./job.js").Entity[]} */ entities) {
    this.#entities = entities;
    this.#draw();
  }

  #moved() {
    this.#lowest = Number(this.#threshold.value);
    this.#draw();
    this.#onChange();
  }

  #isSure(/** @type {import("./job.js").Entity} */ { score }) {
    return score * 100 >= this.#lowest;
  }

  #draw() {
    this.#value.textContent = `${number(this.#lowest)}%`;
    /** @type {Map<string, number>} How many of each type there are, whether it is on or not. */
    const counts = new Map();
    for (const entity of this.#entities) {
      counts.set(entity.type, (counts.get(entity.type) ?? 0) + Number(this.#isSure(entity)));
    }
    this.#legend.replaceChildren(
      ...sortTypes(counts.keys()).map((type) => {
        const button = make(
          "button",
          `legend-item ${typeClass(type)}`,
          make("span", "legend-name", typeName(type)),
          make("span", "legend-count", number(counts.get(type) ?? 0)),
        );
        button.type = "button";
        button.dataset.type = type;
        button.setAttribute("aria-pressed", String(!this.#off.has(type)));
        return button;
      }),
    );
  }
}

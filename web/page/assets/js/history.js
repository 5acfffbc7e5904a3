/** The jobs of this browser, kept by it alone. */

import { permalink } from "./addresses.js";
import { byId, make } from "./dom.js";
import { dateTime, onLanguage, t } from "./language.js";
import { forget, keep, kept } from "./storage.js";

const STORED = "raner.history";
const MOST_ENTRIES = 50;
/** Code units of a text that is kept whole, so that it can be read again once its job has expired. */
const MOST_TEXT = 20_000;
const SNIPPET = 60;

/** @typedef {{id: string, at: number, snippet: string, characters: number, entities: number, text: ?string}} Entry */

/** The list, newest first. */
export class History {
  #list = byId("history");
  #clear = byId("clear-history");

  /** @param {(id: string) => void} onOpen asks for the job of an entry */
  constructor(onOpen) {
    this.#list.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      // With these, the user wants a tab of its own for it.
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onOpen(link.dataset.id);
    });
    this.#clear.addEventListener("click", () => {
      forget(STORED);
      this.#draw();
    });
    // Another tab may have written to it.
    window.addEventListener("storage", () => this.#draw());
    onLanguage(() => this.#draw());
  }

  /** Keep a job that succeeded. */
  add(
    /** @type {{id: string, text: string, characters: number, entities: number}} */ { id, text, characters, entities },
  ) {
    const snippet = text
      .slice(0, 4 * SNIPPET)
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, SNIPPET);
    const whole = text.length <= MOST_TEXT ? text : null;
    const others = read().filter((entry) => entry.id !== id);
    write([{ id, at: Date.now(), snippet, characters, entities, text: whole }, ...others].slice(0, MOST_ENTRIES));
    this.#draw();
  }

  /** The text of a job, where it was kept. */
  textOf(/** @type {string} */ id) {
    return read().find((entry) => entry.id === id)?.text ?? null;
  }

  #draw() {
    const entries = read();
    this.#clear.hidden = entries.length === 0;
    this.#list.replaceChildren(
      ...entries.map(({ id, at, snippet, characters, entities }) => {
        const link = make(
          "a",
          "history-link",
          make("bdi", "history-snippet", snippet || t("history.blank")),
          make("span", "history-meta", t("history.meta", { at: dateTime(at), characters, entities })),
        );
        link.href = permalink(id);
        link.dataset.id = id;
        return make("li", "", link);
      }),
    );
  }
}

/** @returns {Entry[]} */
function read() {
  try {
    const entries = JSON.parse(kept(STORED) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

function write(/** @type {Entry[]} */ entries) {
  let rest = entries;
  // The browser's quota: the oldest make room.
  while (rest.length > 0 && !keep(STORED, JSON.stringify(rest))) rest = rest.slice(0, -1);
}

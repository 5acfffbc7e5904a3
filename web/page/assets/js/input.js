/** The text to be read: typed, pasted, from a file, or one of the samples. */

import { countCharacters } from "./characters.js";
import { byId } from "./dom.js";
import { readFile } from "./files.js";
import { language, onLanguage, t } from "./language.js";
import { SAMPLES } from "./samples.js";

/** The input panel. */
export class Input {
  #text = byId("text");
  #length = byId("length");
  #sample = byId("sample");
  #file = byId("file");
  #onTrouble;
  /** Most characters that the farm takes. */
  limit = Number(document.documentElement.dataset.maxTextChars);

  /** @param {{onRun: () => void, onTrouble: (error: unknown) => void}} listeners */
  constructor({ onRun, onTrouble }) {
    this.#onTrouble = onTrouble;
    this.#text.addEventListener("input", () => this.#count());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        onRun();
      }
    });
    byId("clear-text").addEventListener("click", () => {
      this.text = "";
      this.focus();
    });
    this.#sample.addEventListener("change", () => {
      const sample = SAMPLES.find(({ id }) => id === this.#sample.value);
      if (sample) this.text = sample.text;
      this.#sample.value = "";
    });
    byId("open-file").addEventListener("click", () => this.#file.click());
    this.#file.addEventListener("change", () => {
      this.#open(this.#file.files[0]);
      // So that the same file can be opened again.
      this.#file.value = "";
    });
    this.#takeDrops();
    onLanguage(() => this.#draw());
  }

  get text() {
    return this.#text.value;
  }

  set text(text) {
    this.#text.value = text;
    this.#count();
  }

  /** Its length in characters, that is, code points. */
  get characters() {
    return countCharacters(this.text);
  }

  focus() {
    this.#text.focus();
  }

  async #open(/** @type {File|undefined} */ file) {
    if (!file) return;
    try {
      ({ text: this.text } = await readFile(file, this.limit));
    } catch (error) {
      this.#onTrouble(error);
      return;
    }
    this.focus();
  }

  #takeDrops() {
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    // How deep the pointer is in nested elements, each of which tells of its coming and going.
    let depth = 0;
    const mark = (/** @type {number} */ value) => {
      depth = value;
      document.body.classList.toggle("dragging", depth > 0);
    };
    document.addEventListener("dragenter", (event) => hasFiles(event) && mark(depth + 1));
    document.addEventListener("dragleave", (event) => hasFiles(event) && mark(Math.max(0, depth - 1)));
    document.addEventListener("dragover", (event) => {
      if (hasFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      // Anywhere on the page: beside the panel, the browser would leave the page for the file.
      event.preventDefault();
      mark(0);
      this.#open(event.dataTransfer?.files[0]);
    });
  }

  #count() {
    const { characters } = this;
    this.#length.value = t("input.length", { count: characters, limit: this.limit });
    this.#length.dataset.over = String(characters > this.limit);
  }

  #draw() {
    this.#count();
    this.#sample.replaceChildren(
      new Option(t("input.choose-sample"), ""),
      ...SAMPLES.map(({ id, title }) => new Option(title[language()], id)),
    );
  }
}

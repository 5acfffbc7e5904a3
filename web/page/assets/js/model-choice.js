/** Which model is asked. */

import { call } from "./api.js";
import { byId } from "./dom.js";
import { onLanguage, t } from "./language.js";
import { keep, kept } from "./storage.js";

const STORED = "raner.model";

/** @typedef {{name: string, version: ?string, types: ?string[], state: string, workers: number, default: boolean}} Model */

/** The list of the farm's models. */
export class ModelChoice {
  #select = byId("model");
  /** @type {Model[]} */
  #models = [];
  /** @type {?string} */
  #wanted = kept(STORED);

  constructor() {
    this.#select.addEventListener("change", () => {
      this.#wanted = this.#select.value;
      keep(STORED, this.#select.value);
    });
    onLanguage(() => this.#draw());
  }

  /** The name of the chosen model; undefined, which is the farm's default, while the models are not known. */
  get name() {
    return this.#select.value || undefined;
  }

  /** Ask the farm for its models. */
  async load() {
    ({ models: this.#models } = await call("GET", "/api/v1/models"));
    this.#draw();
  }

  #draw() {
    this.#select.replaceChildren(
      ...this.#models.map(
        ({ name, state, types }) =>
          new Option(
            t(`model.${state === "ready" ? "ready" : "unavailable"}`, { name, types: (types ?? []).join(" ") }),
            name,
          ),
      ),
    );
    const names = this.#models.map(({ name }) => name);
    const chosen = names.find((name) => name === this.#wanted) ?? this.#models.find((model) => model.default)?.name;
    if (chosen) this.#select.value = chosen;
  }
}

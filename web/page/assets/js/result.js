/** The result of a job on the page: the marked text, its figures, its legend, its entities. */

import { permalink } from "./addresses.js";
import { countCharacters } from "./characters.js";
import { Details } from "./details.js";
import { byId, make } from "./dom.js";
import { EntityList } from "./entities.js";
import { offerExports } from "./exporting.js";
import { Filters } from "./filters.js";
import { Highlighter } from "./highlight.js";
import { onLanguage, t } from "./language.js";
import { Statistics } from "./statistics.js";

/** Code units of a text's beginning in the list of a job's texts. */
const BEGINNING = 24;

/** @typedef {{job: import("./job.js").Job, texts: string[], seconds: number}} Done a job that succeeded */

/** The panel. */
export class ResultView {
  #panel = byId("result-panel");
  #which = byId("which");
  #problem = byId("result-problem");
  #highlighter = new Highlighter(byId("output"));
  #details = new Details(this.#highlighter);
  #list = new EntityList((index) => this.#details.goTo(index));
  #statistics = new Statistics();
  #filters = new Filters(() => this.#refilter());
  /** @type {?Done} */
  #done = null;
  #rendering = new AbortController();

  constructor() {
    this.#which.addEventListener("change", () => this.#draw());
    offerExports(() => this.#export());
    onLanguage(() => {
      this.#nameTexts();
      this.#sayProblem();
    });
  }

  /** Show a job's results. */
  show(/** @type {Done} */ done) {
    this.#done = done;
    this.#nameTexts();
    this.#which.value = "0";
    byId("which-field").hidden = done.texts.length < 2;
    byId("permalink").href = permalink(done.job.id);
    this.#panel.hidden = false;
    this.#draw();
  }

  /** Take the result away. */
  clear() {
    this.#rendering.abort();
    this.#done = null;
    this.#panel.hidden = true;
    this.#highlighter.clear();
    this.#details.setEntities([]);
    this.#filters.setEntities([]);
    this.#list.show([], this.#filters.isShown);
  }

  get #text() {
    return this.#done?.texts[Number(this.#which.value)] ?? "";
  }

  /** @returns {import("./job.js").Result|undefined} */
  get #result() {
    return this.#done?.job.results?.[Number(this.#which.value)];
  }

  async #draw() {
    const result = this.#result;
    this.#sayProblem();
    if (!result) return;
    this.#rendering.abort();
    this.#rendering = new AbortController();
    this.#details.setEntities(result.entities);
    this.#filters.setEntities(result.entities);
    this.#refilter();
    const { signal } = this.#rendering;
    try {
      await this.#highlighter.show(this.#text, result.entities, signal);
    } catch (error) {
      // Another result has taken its place.
      if (!signal.aborted) throw error;
    }
  }

  #refilter() {
    const result = this.#result;
    if (!this.#done || !result) return;
    this.#details.hide();
    this.#highlighter.filter(this.#filters.isShown);
    this.#list.show(result.entities, this.#filters.isShown);
    this.#statistics.show({
      total: result.entities.filter(this.#filters.isShown).length,
      distinct: this.#list.distinct,
      characters: countCharacters(this.#text),
      seconds: this.#done.seconds,
      model: result.model,
      cached: result.cached,
    });
  }

  /** Say why the text could not be read, if so: it has no entities, but not because there are none in it. */
  #sayProblem() {
    const error = this.#result?.error;
    this.#problem.hidden = error === undefined;
    this.#problem.replaceChildren(
      ...(error === undefined
        ? []
        : [
            make("strong", "problem-title", t("problem.text")),
            make("p", "", t("problem.text.advice")),
            make("p", "problem-detail", error),
          ]),
    );
  }

  #nameTexts() {
    const { value } = this.#which;
    this.#which.replaceChildren(
      ...(this.#done?.texts ?? []).map((text, index) => {
        const beginning = text.slice(0, BEGINNING).replace(/\s+/g, " ");
        return new Option(t("result.text", { number: index + 1, beginning }), String(index));
      }),
    );
    this.#which.value = value;
  }

  #export() {
    const result = this.#result;
    if (!this.#done || !result) throw new Error("there is no result to export");
    const entities = result.entities.filter(this.#filters.isShown);
    /** @type {Record<string, number>} */
    const counts = {};
    for (const { type } of entities) counts[type] = (counts[type] ?? 0) + 1;
    const { model, error } = result;
    return { run: { text: this.#text, entities, model, counts, error }, id: this.#done.job.id };
  }
}

/** The figures of a run. */

import { byId, make } from "./dom.js";
import { number, onLanguage, t } from "./language.js";

/**
 * @typedef {{total: number, distinct: number, characters: number, seconds: number, model: string, cached: boolean}} Run
 *   `total` and `distinct`: of the entities that are shown
 */

/** The panel of figures. */
export class Statistics {
  #panel = byId("statistics");
  /** @type {?Run} */
  #run = null;

  constructor() {
    onLanguage(() => this.#draw());
  }

  show(/** @type {Run} */ run) {
    this.#run = run;
    this.#draw();
  }

  #draw() {
    if (!this.#run) return;
    const { total, distinct, characters, seconds, model, cached } = this.#run;
    const figures = {
      total: number(total),
      distinct: number(distinct),
      characters: number(characters),
      time: duration(seconds),
      speed: t("statistics.per-second", { count: Math.round(characters / Math.max(seconds, 0.001)) }),
      model,
      cached: t(cached ? "statistics.yes" : "statistics.no"),
    };
    this.#panel.replaceChildren(
      ...Object.entries(figures).map(([name, figure]) => {
        const statistic = make("div", "statistic", make("dt", "", t(`statistics.${name}`)), make("dd", "", figure));
        statistic.dataset.name = name;
        return statistic;
      }),
    );
  }
}

function duration(/** @type {number} */ seconds) {
  return seconds < 1
    ? t("statistics.milliseconds", { count: Math.round(seconds * 1000) })
    : t("statistics.seconds", { count: number(seconds, 1) });
}

/** What goes on, and what went wrong, in words. */

import { byId, make } from "./dom.js";
import { onLanguage, t } from "./language.js";

/** @typedef {{key: string, parameters?: Record<string, string|number>, detail?: string}} Trouble
 *   `key`: of the messages `problem.{key}` and `problem.{key}.advice`; `detail`: what the server said of it */

/** The status line, the bar of progress, and the problem. */
export class Status {
  #line = byId("status");
  #bar = byId("progress");
  #box = byId("problem");
  /** @type {() => string} */
  #words = () => t("status.idle");
  /** @type {?Trouble} */
  #trouble = null;

  constructor() {
    onLanguage(() => this.#draw());
  }

  /**
   * @param {string} state one of the style sheet's: idle, submitting, queued, running, retrying, succeeded, failed,
   *   cancelled, problem
   * @param {() => string} words what it is, in the language in use when it is asked
   */
  say(state, words = () => t(`status.${state}`)) {
    this.#line.dataset.state = state;
    this.#words = words;
    this.#line.textContent = words();
  }

  /** Pieces done of all; null where there is nothing to be seen. */
  progress(/** @type {?{done: number, total: number}} */ pieces) {
    this.#bar.hidden = pieces === null;
    if (!pieces) return;
    this.#bar.max = Math.max(1, pieces.total);
    this.#bar.value = pieces.done;
    this.#bar.setAttribute("aria-label", t("status.progress", pieces));
  }

  /** Say what went wrong and what to do; null where nothing did. */
  trouble(/** @type {?Trouble} */ trouble) {
    this.#trouble = trouble;
    this.#draw();
  }

  #draw() {
    this.#line.textContent = this.#words();
    const trouble = this.#trouble;
    this.#box.hidden = trouble === null;
    if (!trouble) {
      this.#box.replaceChildren();
      return;
    }
    this.#box.replaceChildren(
      make("strong", "problem-title", t(`problem.${trouble.key}`, trouble.parameters)),
      make("p", "", t(`problem.${trouble.key}.advice`, trouble.parameters)),
      ...(trouble.detail ? [make("p", "problem-detail", trouble.detail)] : []),
    );
  }
}

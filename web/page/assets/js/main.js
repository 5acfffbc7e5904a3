/** The page: from a text to a job to its result. */

import { jobOfPage, permalink, pinLinks } from "./addresses.js";
import { useApiKey } from "./api.js";
import { byId } from "./dom.js";
import { FarmPanel } from "./farm.js";
import { History } from "./history.js";
import { Input } from "./input.js";
import { cancel, countErrors, follow, hasEnded, submit } from "./job.js";
import { onLanguage, switchLanguage, t, translate } from "./language.js";
import { ModelChoice } from "./model-choice.js";
import { ResultView } from "./result.js";
import { Status } from "./status.js";
import { troubleOf } from "./troubles.js";

class Page {
  #status = new Status();
  #input = new Input({ onRun: () => this.#run(), onTrouble: (error) => this.#fail(error) });
  #models = new ModelChoice();
  #result = new ResultView();
  #history = new History((id) => {
    window.history.pushState(null, "", permalink(id));
    this.#open(id);
  });
  /** @type {?AbortController} Of what is being done: one thing at a time. */
  #doing = null;
  /** @type {?string} Id of the job that is being waited for. */
  #job = null;
  /** The text whose result was asked for last: the input may be replaced while it still is this. */
  #asked = "";
  /** @type {() => void} What to do once there is a key. */
  #again = () => this.#start();

  constructor() {
    pinLinks();
    byId("run").addEventListener("click", () => this.#run());
    byId("cancel").addEventListener("click", () => this.#cancel());
    byId("language").addEventListener("click", switchLanguage);
    onLanguage(() => {
      byId("language").textContent = t("language.other");
      byId("language").lang = t("language.other.tag");
    });
    byId("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      useApiKey(byId("key").value.trim());
      this.#clearTrouble();
      this.#models.load().then(this.#again, (error) => this.#fail(error));
    });
    byId("link-flower").href = flowerAddress();
    window.addEventListener("popstate", () => this.#start());
    window.addEventListener("unhandledrejection", ({ reason }) => {
      this.#status.say("problem");
      this.#status.trouble({ key: "page", detail: String(reason) });
    });
    translate();
    this.#loadModels();
    this.#start();
    new FarmPanel().start();
    document.documentElement.dataset.ready = "true";
  }

  /** Show what the address says: a job, or nothing yet. */
  #start() {
    const id = jobOfPage();
    if (id) {
      this.#open(id);
    } else {
      this.#doing?.abort();
      this.#result.clear();
      this.#clearTrouble();
      this.#status.say("idle");
    }
  }

  async #loadModels() {
    try {
      await this.#models.load();
    } catch (error) {
      // Without the list, a text is read by the farm's default model all the same.
      this.#fail(error);
    }
  }

  /** Read the text of the input. */
  async #run() {
    if (this.#doing) return;
    const { text, characters, limit } = this.#input;
    if (text.trim() === "") {
      this.#status.trouble({ key: "empty" });
      this.#input.focus();
      return;
    }
    if (characters > limit) {
      this.#status.trouble({ key: "long", detail: t("input.length", { count: characters, limit }) });
      return;
    }
    this.#again = () => this.#run();
    this.#asked = text;
    await this.#do("submitting", async (signal) => {
      const began = performance.now();
      let job = await submit(text, this.#models.name, signal, this.#onRetry);
      this.#job = job.id;
      window.history.pushState(null, "", permalink(job.id));
      if (!hasEnded(job)) {
        this.#onProgress(job);
        job = await follow(job.id, signal, { onProgress: this.#onProgress, onRetry: this.#onRetry });
      }
      this.#end(job, [text], (performance.now() - began) / 1000);
      if (job.status === "succeeded" && countErrors(job) === 0) {
        const entities = job.results?.[0].entities.length ?? 0;
        this.#history.add({ id: job.id, text, characters, entities });
      }
    });
  }

  /** Show a job that there is. */
  async #open(/** @type {string} */ id) {
    this.#doing?.abort();
    this.#again = () => this.#open(id);
    await this.#do("loading", async (signal) => {
      this.#job = id;
      const options = { onProgress: this.#onProgress, onRetry: this.#onRetry, texts: true };
      let job;
      try {
        job = await follow(id, signal, options);
      } catch (error) {
        this.#fail(error, () => this.#recover(id));
        return;
      }
      const texts = job.texts ?? [];
      if (texts.length === 1) this.#offer(texts[0]);
      const seconds = (Date.parse(job.finished_at ?? "") - Date.parse(job.created_at)) / 1000;
      this.#end(job, texts, seconds);
    });
  }

  /** Put a text into the input, unless the user has written something there. Returns whether it is there now. */
  #offer(/** @type {string} */ text) {
    if (this.#input.text !== "" && this.#input.text !== this.#asked) return this.#input.text === text;
    this.#input.text = this.#asked = text;
    return true;
  }

  /** What to say of a job that has expired: better news, where this browser has kept its text. */
  #recover(/** @type {string} */ id) {
    const text = this.#history.textOf(id);
    return text !== null && this.#offer(text) ? { key: "expired-kept" } : null;
  }

  /** Do one thing, which `Cancel` and whatever is asked for next can end. */
  async #do(/** @type {string} */ state, /** @type {(signal: AbortSignal) => Promise<void>} */ act) {
    const doing = new AbortController();
    this.#doing = doing;
    this.#job = null;
    this.#clearTrouble();
    this.#result.clear();
    this.#status.say(state);
    this.#status.progress({ done: 0, total: 1 });
    this.#setBusy(true);
    try {
      await act(doing.signal);
    } catch (error) {
      if (!doing.signal.aborted) this.#fail(error);
      else if (this.#doing === doing && this.#job === null) this.#status.say("cancelled");
    } finally {
      if (this.#doing === doing) {
        this.#doing = null;
        this.#status.progress(null);
        this.#setBusy(false);
      }
    }
  }

  /** Cancel what is being done: the job itself, where there is one by now. */
  async #cancel() {
    const doing = this.#doing;
    if (!doing) return;
    if (this.#job === null) {
      doing.abort();
      return;
    }
    this.#status.say("cancelling");
    try {
      // Whoever follows the job is told of its end.
      await cancel(this.#job);
    } catch (error) {
      doing.abort();
      this.#fail(error);
    }
  }

  #end(/** @type {import("./job.js").Job} */ job, /** @type {string[]} */ texts, /** @type {number} */ seconds) {
    // What a try before the last one met with is over.
    this.#status.trouble(null);
    if (job.status === "succeeded") {
      const total = (job.results ?? []).reduce((sum, { entities }) => sum + entities.length, 0);
      const errors = countErrors(job);
      const words = errors ? "status.succeeded.partly" : "status.succeeded";
      this.#status.say("succeeded", () => t(words, { count: total, errors }));
      this.#result.show({ job, texts, seconds });
    } else {
      this.#status.say(job.status);
      if (job.status === "failed") this.#status.trouble({ key: "failed", detail: job.error });
    }
  }

  #onProgress = (/** @type {import("./job.js").Job} */ { status, progress }) => {
    this.#status.trouble(null);
    this.#status.progress(progress);
    this.#status.say(status, () => t(`status.${status}`, progress));
  };

  #onRetry = (/** @type {Error} */ error) => {
    this.#status.say("retrying");
    this.#status.trouble(troubleOf(error));
  };

  /** Say what went wrong; `better` may know more of it. */
  #fail(/** @type {unknown} */ error, better = () => /** @type {?import("./status.js").Trouble} */ (null)) {
    let trouble = troubleOf(error);
    if (trouble.key === "expired") trouble = better() ?? trouble;
    this.#status.say("problem");
    this.#status.trouble(trouble);
    if (trouble.key === "key") {
      byId("key-form").hidden = false;
      byId("key").focus();
    }
  }

  #clearTrouble() {
    this.#status.trouble(null);
    byId("key-form").hidden = true;
  }

  #setBusy(/** @type {boolean} */ busy) {
    const [run, stop] = [byId("run"), byId("cancel")];
    // Not `disabled`, which would take the focus away from whoever pressed it.
    run.setAttribute("aria-disabled", String(busy));
    if (!busy && document.activeElement === stop) run.focus();
    stop.hidden = !busy;
    document.body.classList.toggle("busy", busy);
  }
}

/** Flower's page: where the farm is set to say it is, else on this page's host, at Flower's port. */
function flowerAddress() {
  const { flowerUrl, flowerPort } = document.documentElement.dataset;
  return flowerUrl || `http://${location.hostname}:${flowerPort}/`;
}

new Page();

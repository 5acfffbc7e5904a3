/** The farm as it is now: workers, queue, load, latency and cache, with the load of the last minutes as a line. */

import { call, Problem, Unreachable } from "./api.js";
import { byId, make } from "./dom.js";
import { number, onLanguage, t } from "./language.js";

/** Milliseconds between two looks. */
const EVERY = 2_000;
/** Looks that are kept: the line has three minutes, the figures are of the last of them. */
const KEPT = 90;
const RECENT = 15;
const SVG = "http://www.w3.org/2000/svg";
/** Size of the drawing, as its viewBox says. */
const WIDTH = 120;
const HEIGHT = 32;

/**
 * @typedef {{models: {workers: number, queue: number}[], requests: number, request_seconds: [?number, number][],
 *   cache: {hits: number, misses: number}, time: number}} Look the counters only ever rise, until the farm starts anew
 */

/** The panel. */
export class FarmPanel {
  #gauges = byId("gauges");
  #line = document.createElementNS(SVG, "polyline");
  /** @type {Look[]} */
  #looks = [];
  #away = false;

  constructor() {
    this.#line.setAttribute("class", "sparkline-line");
    byId("sparkline").append(this.#line);
    onLanguage(() => this.#draw());
  }

  /** Look again and again, as long as somebody can see it. */
  start() {
    const look = async () => {
      if (document.visibilityState === "visible") await this.#look();
      setTimeout(look, EVERY);
    };
    look();
  }

  async #look() {
    try {
      const now = /** @type {Look} */ (await call("GET", "/api/v1/farm"));
      const last = this.#looks.at(-1);
      if (last && now.requests < last.requests) this.#looks = [];
      this.#looks = [...this.#looks, now].slice(-KEPT);
      this.#away = false;
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      // The panel shows dashes; what to do is said to whoever runs a text.
      this.#away = true;
    }
    this.#draw();
  }

  #draw() {
    const now = this.#looks.at(-1);
    const before = this.#looks.at(-RECENT - 1) ?? this.#looks[0];
    const figures = now && !this.#away ? figuresOf(before, now) : {};
    this.#gauges.replaceChildren(
      ...["workers", "queue", "rate", "latency", "cache"].map((name) => {
        const gauge = make("div", "gauge", make("dt", "", t(`farm.${name}`)), make("dd", "", figures[name] ?? "–"));
        gauge.dataset.name = name;
        return gauge;
      }),
    );
    this.#line.setAttribute("points", pointsOf(ratesOf(this.#looks)));
  }
}

/** @returns {Record<string, string>} */
function figuresOf(/** @type {Look} */ before, /** @type {Look} */ now) {
  const sum = (/** @type {"workers"|"queue"} */ field) => now.models.reduce((total, model) => total + model[field], 0);
  const seconds = now.time - before.time;
  const latency = percentile(before.request_seconds, now.request_seconds, 0.95);
  // Of the last half minute where there were lookups in it, else of all there were.
  const hits = now.cache.hits - before.cache.hits;
  const lookups = hits + now.cache.misses - before.cache.misses;
  const [part, whole] = lookups > 0 ? [hits, lookups] : [now.cache.hits, now.cache.hits + now.cache.misses];
  return {
    workers: number(sum("workers")),
    queue: number(sum("queue")),
    rate: seconds > 0 ? t("farm.per-second", { count: number((now.requests - before.requests) / seconds, 1) }) : "–",
    latency: latency === null ? "–" : t("statistics.milliseconds", { count: Math.round(latency * 1000) }),
    cache: whole > 0 ? `${number((part / whole) * 100)}%` : "–",
  };
}

/**
 * A percentile of what came between two looks at a histogram, linear within a bucket; null where nothing came.
 * @param {[?number, number][]} before upper bounds in seconds, null for infinity, with the count up to each
 * @param {[?number, number][]} now
 * @param {number} share
 */
export function percentile(before, now, share) {
  const counts = now.map(([bound, count], index) => ({ bound, count: count - (before[index]?.[1] ?? 0) }));
  const wanted = (counts.at(-1)?.count ?? 0) * share;
  if (wanted <= 0) return null;
  let lower = { bound: 0, count: 0 };
  for (const bucket of counts) {
    // Of what is beyond the last bound, that bound is all that is known.
    if (bucket.bound === null) return lower.bound;
    if (bucket.count >= wanted) {
      const within = (wanted - lower.count) / (bucket.count - lower.count);
      return lower.bound + (bucket.bound - lower.bound) * within;
    }
    lower = { bound: bucket.bound, count: bucket.count };
  }
  return lower.bound;
}

/** Requests a second between each look and the next. */
function ratesOf(/** @type {Look[]} */ looks) {
  return looks.slice(1).map((look, index) => {
    const seconds = look.time - looks[index].time;
    return seconds > 0 ? Math.max(0, look.requests - looks[index].requests) / seconds : 0;
  });
}

function pointsOf(/** @type {number[]} */ rates) {
  const greatest = Math.max(1, ...rates);
  const step = WIDTH / (KEPT - 2);
  return rates
    .map((rate, index) => {
      const x = WIDTH - (rates.length - 1 - index) * step;
      return `${x.toFixed(1)},${(HEIGHT - 1 - (rate / greatest) * (HEIGHT - 2)).toFixed(1)}`;
    })
    .join(" ");
}

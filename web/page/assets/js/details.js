/** What is known of one entity: shown for the one under the pointer, or the one that has the focus. */

import { byId, make } from "./dom.js";
import { number, t } from "./language.js";
import { typeName } from "./types.js";

/** Pixels between an entity and its details, and between these and the window's edge. */
const GAP = 8;
/** Keys that go through the entities, with the place they go to from place `at` among `count`. */
const KEYS = {
  ArrowRight: (at, _) => at + 1,
  ArrowDown: (at, _) => at + 1,
  ArrowLeft: (at, _) => at - 1,
  ArrowUp: (at, _) => at - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** The details of a highlighter's entities, and the way from one to the next. */
export class Details {
  #output = byId("output");
  #details = byId("details");
  #highlighter;
  /** @type {import("./job.js").Entity[]} */
  #entities = [];
  /** @type {?HTMLElement} The entity gone to last. */
  #current = null;
  /** @type {?HTMLElement} The entity whose details are shown. */
  #shown = null;

  constructor(/** @type {import("./highlight.js").Highlighter} */ highlighter) {
    this.#highlighter = highlighter;
    // Not pointerover: a jump that scrolls the text under a pointer at rest is no wish of the user's.
    this.#output.addEventListener("pointermove", (event) => this.#show(markAt(event.target) ?? focusedMark()));
    // A finger does not hover.
    this.#output.addEventListener("click", (event) => this.#show(markAt(event.target) ?? focusedMark()));
    this.#output.addEventListener("pointerleave", () => this.#show(focusedMark()));
    this.#output.addEventListener("focusin", (event) => this.#show(markAt(event.target)));
    this.#output.addEventListener("focusout", () => this.hide());
    this.#output.addEventListener("keydown", (event) => this.#onKey(event));
    // What is shown stands beside its entity, which these move.
    document.addEventListener("scroll", () => this.#place(), { capture: true, passive: true });
    window.addEventListener("resize", () => this.#place());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide();
    });
  }

  /** Of these entities, those of the highlighter's marks. */
  setEntities(/** @type {import("./job.js").Entity[]} */ entities) {
    this.hide();
    this.#current = null;
    this.#entities = entities;
  }

  hide() {
    this.#shown = null;
    this.#details.hidden = true;
  }

  /** Go to an entity: bring it into sight and make it the current one. */
  goTo(/** @type {number} */ index) {
    const mark = this.#highlighter.marks[index];
    if (!mark) return;
    this.#current?.classList.remove("entity-current");
    mark.classList.add("entity-current");
    this.#current = mark;
    mark.scrollIntoView({ block: "center", inline: "nearest" });
    // Blocks that come near are laid out only now, and may be higher or lower than they were taken for.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => mark.scrollIntoView({ block: "center", inline: "nearest" })),
    );
  }

  #onKey(/** @type {KeyboardEvent} */ event) {
    const move = KEYS[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = this.#highlighter.marks.filter((mark) => !mark.classList.contains("entity-off"));
    if (shown.length === 0) return;
    event.preventDefault();
    const focused = focusedMark();
    const at = focused ? shown.indexOf(focused) : move === KEYS.ArrowLeft || move === KEYS.ArrowUp ? shown.length : -1;
    const mark = shown[Math.max(0, Math.min(shown.length - 1, move(at, shown.length)))];
    this.goTo(Number(mark.dataset.index));
    // Only the one that has the focus can take it: the Tab key passes the others by.
    mark.tabIndex = -1;
    mark.setAttribute("aria-describedby", this.#details.id);
    mark.focus({ preventScroll: true });
  }

  #show(/** @type {?HTMLElement} */ mark) {
    if (!mark || mark.classList.contains("entity-off")) {
      this.hide();
      return;
    }
    if (mark === this.#shown) return;
    const entity = this.#entities[Number(mark.dataset.index)];
    const amount = amountOf(entity);
    const rows = {
      type: typeName(entity.type),
      ...(amount && { amount }),
      score: `${number(entity.score * 100, 1)}%`,
      offsets: `${entity.start}–${entity.end}`,
      source: t(`details.source.${entity.source === "rule" ? "rule" : "model"}`),
    };
    this.#details.replaceChildren(
      make(
        "dl",
        "details-rows",
        ...Object.entries(rows).flatMap(([name, value]) => [
          make("dt", "", t(`details.${name}`)),
          make("dd", "", value),
        ]),
      ),
    );
    this.#shown = mark;
    this.#place();
  }

  /** Put the details beside their entity, as long as that is in sight. */
  #place() {
    if (!this.#shown) return;
    const frame = this.#output.getBoundingClientRect();
    // An entity that goes over a line's end has a box on each; the first is where it begins.
    const [box] = this.#shown.getClientRects();
    this.#details.hidden =
      !box || box.bottom < Math.max(0, frame.top) || box.top > Math.min(window.innerHeight, frame.bottom);
    if (this.#details.hidden) return;
    const own = this.#details.getBoundingClientRect();
    const left = Math.max(GAP, Math.min(box.left, window.innerWidth - own.width - GAP));
    const above = box.top - own.height - GAP;
    this.#details.style.left = `${left}px`;
    this.#details.style.top = `${above >= GAP ? above : box.bottom + GAP}px`;
  }
}

/** What an amount of money is in digits, with its currency: 30000–50000 CNY. Empty for other entities. */
function amountOf(/** @type {import("./job.js").Entity} */ { value, low, high, currency }) {
  const digits = value ?? (high ? `${low}–${high}` : low && `≥ ${low}`);
  return [digits, currency].filter(Boolean).join(" ");
}

function markAt(/** @type {?EventTarget} */ target) {
  return target instanceof Element ? /** @type {?HTMLElement} */ (target.closest("mark.entity")) : null;
}

function focusedMark() {
  return markAt(document.activeElement);
}

/** The buttons that copy and download what is shown. */

import { byId } from "./dom.js";
import { asCsv, asHtml, asJson, copy, save } from "./export.js";
import { onLanguage, t } from "./language.js";
import { typeName } from "./types.js";

/** Milliseconds that a button says what it did. */
const SAID_FOR = 1_500;
/** How each format is made, and the type of its file. */
const FORMATS = {
  json: { make: asJson, mime: "application/json" },
  csv: { make: asCsv, mime: "text/csv" },
  html: { make: (run) => asHtml(run, labelsOf(run)), mime: "text/html" },
};

/** @typedef {import("./export.js").Run} Run */

/**
 * Have the buttons work.
 * @param {() => {run: Run, id: string}} shown what is on the page: the run, and the id of its job
 */
export function offerExports(shown) {
  for (const [format, { make, mime }] of Object.entries(FORMATS)) {
    onClick(`copy-${format}`, "copy", format.toUpperCase(), () => copy(make(shown().run)));
    onClick(`save-${format}`, "save", format.toUpperCase(), () => {
      const { run, id } = shown();
      save(`raner-${id.slice(0, 8)}.${format}`, mime, make(run));
    });
  }
  onClick("copy-link", "copy", "URL", () => copy(byId("permalink").href));
}

function onClick(id, action, what, act) {
  const button = byId(id);
  const name = () => {
    button.textContent = t(`export.${action}`);
    button.setAttribute("aria-label", t(`export.${action}.label`, { what }));
  };
  onLanguage(name);
  let timer = 0;
  button.addEventListener("click", async () => {
    clearTimeout(timer);
    let outcome = `export.${action}.done`;
    const acting = act();
    try {
      await acting;
    } catch {
      // A browser may keep the clipboard to itself; the download is there for that.
      outcome = "export.failed";
    }
    button.textContent = t(outcome);
    button.setAttribute("aria-label", t(outcome));
    timer = setTimeout(name, SAID_FOR);
  });
}

function labelsOf(/** @type {Run} */ run) {
  return Object.fromEntries(Object.keys(run.counts).map((type) => [type, typeName(type)]));
}

/** The page's words, in Chinese or English. */

import en from "./messages-en.js";
import zh from "./messages-zh.js";
import { keep, kept } from "./storage.js";

const WORDS = { zh, en };
const TAGS = { zh: "zh-CN", en: "en" };
const STORED = "raner.language";
/** What each attribute of the page's markup translates. */
const PLACES = {
  "data-i18n": (element, text) => (element.textContent = text),
  "data-i18n-label": (element, text) => element.setAttribute("aria-label", text),
  "data-i18n-placeholder": (element, text) => element.setAttribute("placeholder", text),
};

/** @type {"zh"|"en"} */
let current = chosen();
/** @type {(() => void)[]} */
const listeners = [];

/** The language in use: `zh` or `en`. */
export function language() {
  return current;
}

/**
 * A message in the language in use, with `{name}` replaced by the parameter of that name; numbers as it writes them.
 * @param {string} key
 * @param {Record<string, string|number>} parameters
 */
export function t(key, parameters = {}) {
  const message = WORDS[current][key];
  if (message === undefined) throw new Error(`no message ${key}`);
  return message.replace(/\{(\w+)\}/g, (_, name) => {
    const value = parameters[name];
    return typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 1) : value;
  });
}

/** Whether there is a message of this key. */
export function isKnown(/** @type {string} */ key) {
  return key in WORDS[current];
}

/** A number as this language writes it. */
export function number(/** @type {number} */ value, digits = 0) {
  return value.toLocaleString(TAGS[current], { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A time of day and date, short. */
export function dateTime(/** @type {number} */ milliseconds) {
  return new Date(milliseconds).toLocaleString(TAGS[current], { dateStyle: "short", timeStyle: "short" });
}

/** Use the other language from now on. */
export function switchLanguage() {
  current = current === "zh" ? "en" : "zh";
  keep(STORED, current);
  translate();
}

/** Call `listener` now and whenever the language changes. */
export function onLanguage(/** @type {() => void} */ listener) {
  listeners.push(listener);
  listener();
}

/** Write the page's own texts in the language in use. */
export function translate() {
  document.documentElement.lang = TAGS[current];
  for (const [attribute, write] of Object.entries(PLACES)) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      write(element, t(/** @type {string} */ (element.getAttribute(attribute))));
    }
  }
  for (const listener of listeners) listener();
}

function chosen() {
  const stored = kept(STORED);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

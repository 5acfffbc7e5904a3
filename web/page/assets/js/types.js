/** Entity types: the class that gives each its colour and underline, and its name. */

import { isKnown, t } from "./language.js";

/** Types in the order in which they are listed; each has a class of its own in the style sheet. */
const ORDER = ["PER", "LOC", "ORG", "COMPANY", "GOV", "SCENE", "TITLE", "TIME", "MONEY", "PRODUCT", "WORK", "GAME"];

/** The style class of a type; subtypes such as `PER.NAM` have their type's. */
export function typeClass(/** @type {string} */ type) {
  const base = baseOf(type);
  return ORDER.includes(base) ? `entity-${base.toLowerCase()}` : "entity-other";
}

/** What a type is called: `PER 人名`. */
export function typeName(/** @type {string} */ type) {
  const key = `type.${baseOf(type)}`;
  return isKnown(key) ? `${type} ${t(key)}` : type;
}

/** Types in the order of the list, those that are not in it behind, by name. */
export function sortTypes(/** @type {Iterable<string>} */ types) {
  const place = (/** @type {string} */ type) => (ORDER.indexOf(baseOf(type)) + ORDER.length + 1) % (ORDER.length + 1);
  return [...types].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

function baseOf(/** @type {string} */ type) {
  return type.split(".")[0].toUpperCase();
}

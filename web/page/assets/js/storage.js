/** What this browser keeps for the page. Where it may keep nothing, the page remembers until it is closed. */

import { ROOT } from "./addresses.js";

/** @type {Map<string, string>} */
const remembered = new Map();

/**
 * What was kept under a key, or null.
 * @param {string} key
 * @param {"localStorage"|"sessionStorage"} area `sessionStorage`: of this tab alone
 */
export function kept(key, area = "localStorage") {
  try {
    return window[area].getItem(named(key)) ?? remembered.get(key) ?? null;
  } catch {
    return remembered.get(key) ?? null;
  }
}

/**
 * Keep a value under a key. Returns whether there was room for it.
 * @param {string} key
 * @param {string} value
 * @param {"localStorage"|"sessionStorage"} area
 */
export function keep(key, value, area = "localStorage") {
  try {
    window[area].setItem(named(key), value);
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    remembered.set(key, value);
  }
  return true;
}

/** Forget what was kept under a key. */
export function forget(/** @type {string} */ key) {
  remembered.delete(key);
  try {
    localStorage.removeItem(named(key));
  } catch {
    // Nothing was kept there.
  }
}

/** The browser's own key: farms under different paths of one host have different ones. */
function named(/** @type {string} */ key) {
  return ROOT === "/" ? key : `${key} ${ROOT}`;
}

/** Elements, made from text nodes only. */

/**
 * The page's element of an id.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A new element; strings among its children become text nodes.
 * @param {string} tag
 * @param {string} className
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

// Finding and making elements.

/**
 * The element of an id that the page always has.
 * @template {Element} T
 * @param {string} id
 * @param {{ new (): T }} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`The page has no ${type.name} #${id}`);
}

/**
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(parent, selector) {
  const element = parent.querySelector(selector);
  if (element instanceof HTMLElement) return element;
  throw new TypeError(`The page has no ${selector}`);
}

/**
 * The one element that a template makes.
 * @param {import('./html.js').SafeHtml} safe
 * @returns {HTMLElement}
 */
export function elementOf(safe) {
  const template = document.createElement('template');
  template.innerHTML = safe.markup.trim();
  const element = template.content.firstElementChild;
  if (element instanceof HTMLElement) return element;
  throw new TypeError('The template makes no element');
}

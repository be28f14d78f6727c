// HTML by template: what is interpolated is escaped unless it was made here. The server and the browser both use it.

/** Markup that may be put into a page as it is. */
export class SafeHtml {
  /** @param {string} markup */
  constructor(markup) {
    this.markup = markup;
  }

  toString() {
    return this.markup;
  }
}

/** @typedef {SafeHtml | string | number | null | undefined | false | readonly SafeHtml[]} Interpolated */

/** @type {Record<string, string>} */
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** @param {string} text */
const escapeHtml = (text) => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/**
 * @param {Interpolated} value
 * @returns {string}
 */
function markupOf(value) {
  if (value instanceof SafeHtml) return value.markup;
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

/**
 * @param {TemplateStringsArray} strings
 * @param {Interpolated[]} values
 */
export function html(strings, ...values) {
  const parts = strings.map((text, index) => text + markupOf(values[index]));
  return new SafeHtml(parts.join(''));
}

// Controls, formats (bidirectional overrides, zero width), lone surrogates, private use, odd line ends: all but LF.
const invisible = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
const splitInvisible = new RegExp(`(${invisible.source})`, 'u');

/**
 * Text in which characters that cannot be seen, or that change how others are seen, are shown by their number: nobody
 * should approve something else than what is there.
 * @param {string} text
 */
export function visible(text) {
  const pieces = text.split(splitInvisible).map((piece) => {
    if (!invisible.test(piece)) return html`${piece}`;
    const code = (piece.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return html`<span class="hidden-character" title="A character that does not show">U+${code}</span>`;
  });
  return html`${pieces}`;
}

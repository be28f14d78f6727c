// Markdown to safe elements. The text is whatever a model or a tool made up: markup in it is shown, never obeyed.

/** @typedef {import('marked').Token} Token */

const { Marked } = /** @type {{ marked: typeof import('marked') }} */ (
  /** @type {unknown} */ (globalThis)
).marked;
const purify = /** @type {{ DOMPurify: import('dompurify').DOMPurify }} */ (
  /** @type {unknown} */ (globalThis)
).DOMPurify;

/** @param {string} text */
const escapeHtml = (text) => {
  const element = document.createElement('span');
  element.textContent = text;
  return element.innerHTML.replaceAll('"', '&quot;');
};

/** @param {string} href */
function webUrl(href) {
  const url = URL.parse(href);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url : null;
}

const parser = new Marked({
  gfm: true,
  renderer: {
    // Markup in the text stays text.
    html: ({ text }) => escapeHtml(text),
    // An image would tell its server that it was seen, and could carry words of the conversation in its address.
    image: ({ text, href }) => escapeHtml(`[image: ${text || href}]`),
    link({ href, tokens }) {
      const label = this.parser.parseInline(tokens);
      const url = webUrl(href);
      if (!url) return label;
      const place = url.protocol === 'mailto:' ? url.pathname : url.host;
      const told = escapeHtml(place);
      const shown = label === told || label === escapeHtml(href) ? '' : ` <small>(${told})</small>`;
      return `<a href="${escapeHtml(url.href)}">${label}</a>${shown}`;
    },
  },
});

const allowed = {
  ALLOWED_TAGS:
    'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s small strong table tbody td th thead tr ul'.split(
      ' ',
    ),
  ALLOWED_ATTR: ['href', 'start', 'align'],
  RETURN_DOM_FRAGMENT: /** @type {const} */ (true),
};

purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

/** @type {WeakMap<Element, string[]>} the source of each block that an element shows */
const shownBlocks = new WeakMap();

/**
 * Shows text in an element. Called again with a longer text, only the blocks that changed are made again.
 * @param {Element} element
 * @param {string} text
 */
export function showMarkdown(element, text) {
  const tokens = parser.lexer(text).filter(({ type }) => type !== 'space');
  const before = shownBlocks.get(element) ?? [];
  if (before.length === 0) element.replaceChildren();
  const blocks = tokens.map((token) => token.raw);
  let same = 0;
  while (same < before.length && before[same] === blocks[same]) same += 1;
  for (const old of [...element.children].slice(same)) old.remove();
  element.append(...tokens.slice(same).map(blockElement));
  shownBlocks.set(element, blocks);
}

/** @param {Token} token */
function blockElement(token) {
  const block = document.createElement('div');
  block.append(purify.sanitize(parser.parser([token]), allowed));
  for (const pre of block.querySelectorAll('pre, table')) pre.setAttribute('tabindex', '0');
  return block;
}

/** What a piece of a message looks like. */
export type SpanKind = 'quoted' | 'email' | 'url' | 'date' | 'glob' | 'path' | 'number';

/** A piece of a message that can be the value of an argument. */
export interface Span {
  readonly kind: SpanKind;
  /** Without quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** In this order: what one kind takes, the later ones do not see. */
const patterns: readonly (readonly [SpanKind, RegExp])[] = [
  ['quoted', /"[^"]*"|“[^”]*”|«[^»]*»|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu],
  ['email', /[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}/g],
  ['url', /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)]/g],
  ['date', /\b\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?\b/g],
  ['glob', /[\w./-]*\*[\w.*/-]*/g],
  [
    'path',
    /(?<![\w/.])(?:~|\.{1,2})?\/[\w./@-]*[\w/]|\b[\w-]{1,80}(?:\/[\w.-]{0,80}\w){1,20}\/?|\b[\w-]{1,80}\/(?=\s|$)|\b[\w-]{1,80}(?:\.[\w-]{1,40}){0,5}\.[a-z][a-z0-9]{0,4}\b(?!\.\w)/gi,
  ],
  ['number', /(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])/g],
];

/** The pieces of a text that stand out, in the order of the text. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let rest = text;
  for (const [kind, pattern] of patterns) {
    rest = rest.replace(pattern, (found, ...more) => {
      const start = more.find((part) => typeof part === 'number') as number;
      // A star between numbers multiplies.
      if (kind === 'glob' && /^\**$|\d\*\d/.test(found)) return found;
      const bare = kind === 'quoted' ? found.slice(1, -1) : found;
      spans.push({ kind, text: bare, start, end: start + found.length });
      return '\0'.repeat(found.length);
    });
  }
  return spans.sort((a, b) => a.start - b.start);
}

/** The text with spans blanked out, at the same length. */
export function withoutSpans(text: string, spans: readonly Span[], blank = ' '): string {
  let rest = text;
  for (const { start, end } of spans)
    rest = rest.slice(0, start) + blank.repeat(end - start) + rest.slice(end);
  return rest;
}

/** A calculation such as `2 * (3 + 4)`, if there is one. */
export function calculationIn(text: string): string | undefined {
  const found = text.match(/[\d(][\d\s.()]{0,80}(?:[-+*/^%×÷][\d\s.()-]{1,80}){1,30}/u)?.[0].trim();
  return found && /\d\s*[-+*/^%×÷]\s*[(-]*\s*\d/u.test(found) && !/^\d{4}-\d\d-\d\d/.test(found)
    ? found
    : undefined;
}

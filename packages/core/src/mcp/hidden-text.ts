/**
 * What a person does not see and a model reads: control characters except tab and newline (`Cc`), bidirectional overrides,
 * zero-width and tag characters (`Cf`), lone surrogates (`Cs`), blank letters, variation selectors of the supplement.
 */
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\u115F\u1160\u3164\uFFA0]|[\u{E0100}-\u{E01EF}]/gu;

/** The text without what cannot be seen. */
export function withoutHidden(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(HIDDEN, '');
}

/** Whether a text has something that cannot be seen. */
export function hasHidden(text: string): boolean {
  return text.search(HIDDEN) !== -1;
}

/** The text for a person's eyes: what cannot be seen is written as its code point. */
export function shown(text: string): string {
  return text.replace(HIDDEN, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16) ?? ''}}`);
}

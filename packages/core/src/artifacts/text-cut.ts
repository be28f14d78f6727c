import { cleanText } from '../internal/storable.ts';

/** The longest beginning of a text that takes at most `limit` bytes of UTF-8, whole code points only. */
export function headOf(text: string, limit: number): string {
  const bytes = new Uint8Array(limit);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}

/** Characters encoded at a time: a text of 100 MB is never held a second time. */
const PIECE_CHARACTERS = 64 * 1024;

/** The UTF-8 of a text, piece by piece, cleaned as {@link cleanText} does. */
export function* utf8Pieces(text: string): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PIECE_CHARACTERS, text.length);
    // A pair is never cut in two.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end += 1;
    yield encoder.encode(cleanText(text.slice(start, end)));
    start = end;
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Where the code point that begins before `at` ends its UTF-8: never in the middle of a character. */
export function codePointStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && start < bytes.length && isContinuation(bytes[start] ?? 0)) start -= 1;
  return start;
}

/** Whether a byte continues a UTF-8 sequence. */
export const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** The text of UTF-8 bytes whose last code point may be cut off; `null` when they are not text. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, {
      stream: true,
    });
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

import { cleanText } from '../internal/storable.ts';
import type { ArtifactStore } from '../stores/artifact-store.ts';
import type { Owner } from '../stores/run-store.ts';
import { codePointStart, isContinuation, textOf } from './text-cut.ts';

/** The part of an artifact that is asked for: by bytes, or by lines. */
export interface ArtifactPart {
  readonly artifactId: string;
  readonly start?: number;
  readonly length?: number;
  readonly line?: number;
  readonly lines?: number;
}

/** A part of a body: whole code points, and where the next part begins. */
interface Part {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** Whose artifacts are read, and how many bytes at most. */
export interface ArtifactReading {
  readonly artifacts: ArtifactStore;
  readonly owner: Owner;
  readonly most: number;
}

/** A part of an artifact as text, with a sentence that says where the next part begins. */
export async function readArtifact(
  { artifacts, owner, most }: ArtifactReading,
  part: ArtifactPart,
): Promise<string> {
  const text =
    part.line === undefined
      ? await byBytes(artifacts, owner, part, most)
      : await byLines(artifacts, owner, { ...part, line: part.line }, most);
  return text ?? `There is no artifact ${part.artifactId}, or it has expired.`;
}

async function byBytes(
  artifacts: ArtifactStore,
  owner: Owner,
  { artifactId, start = 0, length = Number.POSITIVE_INFINITY }: ArtifactPart,
  most: number,
): Promise<string | null> {
  const end = start + Math.min(length, most);
  const found = await artifacts.read(owner, artifactId, { start, end });
  if (found === null) return null;
  const { reference, body } = found;
  if (start >= reference.bytes && reference.bytes > 0)
    return `The artifact has only ${reference.bytes} bytes.`;
  const bytes = await collect(body, most);
  // A reader that begins inside of a character begins with the next one.
  let skipped = 0;
  while (skipped < 3 && isContinuation(bytes[skipped] ?? 0)) skipped += 1;
  const whole = start === 0 ? bytes : bytes.subarray(skipped);
  const part = { bytes: whole, start: start + bytes.length - whole.length };
  return answer(part, reference.bytes, reference.mediaType);
}

function answer(part: Part, total: number, mediaType: string): string {
  const end = part.start + part.bytes.length;
  const cut = end < total ? part.bytes.subarray(0, lastWhole(part.bytes)) : part.bytes;
  const text = textOf(cut);
  if (text === null) return `The artifact is ${total} bytes of ${mediaType}, which is not text.`;
  const next = part.start + cut.length;
  const rest = next < total ? `the next part starts at ${next}` : 'this is the end';
  return `${cleanText(text)}\n\n[Bytes ${part.start} to ${next} of ${total}; ${rest}.]`;
}

/** Where the last whole code point ends. */
function lastWhole(bytes: Uint8Array): number {
  if (bytes.length < 4) return bytes.length;
  const last = codePointStart(bytes, bytes.length - 1);
  const lead = bytes[last] ?? 0;
  const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return last + width <= bytes.length ? bytes.length : last;
}

async function byLines(
  artifacts: ArtifactStore,
  owner: Owner,
  { artifactId, line, lines = Number.POSITIVE_INFINITY }: ArtifactPart & { readonly line: number },
  most: number,
): Promise<string | null> {
  const found = await artifacts.read(owner, artifactId);
  if (found === null) return null;
  const { reference, body } = found;
  const scan = new LineScan(line, line + lines);
  for await (const chunk of body) {
    scan.add(chunk);
    if (scan.done || scan.size > most) break;
  }
  if (scan.start === null) return `The artifact has fewer than ${line} lines.`;
  const bytes = scan.bytes().subarray(0, most);
  return answer({ bytes, start: scan.start }, reference.bytes, reference.mediaType);
}

/** Finds the bytes of lines `from` (included) to `to` (excluded) in chunks, and keeps only those. */
class LineScan {
  readonly #from: number;
  readonly #to: number;
  readonly #kept: Uint8Array[] = [];
  #offset = 0;
  /** The line of the next byte. */
  #line = 1;
  /** Where the first wanted line begins. */
  start: number | null = null;
  size = 0;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  get done(): boolean {
    return this.#line >= this.#to;
  }

  add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.done) {
      const newline = chunk.indexOf(0x0a, at);
      const end = newline === -1 ? chunk.length : newline + 1;
      if (this.#line >= this.#from) this.#keep(chunk.subarray(at, end), this.#offset + at);
      if (newline !== -1) this.#line += 1;
      at = end;
    }
    this.#offset += chunk.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#kept);
  }

  #keep(bytes: Uint8Array, offset: number): void {
    this.start ??= offset;
    this.#kept.push(bytes);
    this.size += bytes.length;
  }
}

async function collect(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}

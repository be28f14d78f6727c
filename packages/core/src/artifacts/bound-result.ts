import { StewardError } from '../errors/steward-error.ts';
import type { ArtifactReference } from '../events/run-event.ts';
import { cleanText } from '../internal/storable.ts';
import type { ArtifactStore } from '../stores/artifact-store.ts';
import type { CallResult, Owner } from '../stores/run-store.ts';
import { ToolContent, type ToolContentPart } from '../tools/tool-content.ts';
import { peek } from './byte-stream.ts';
import { headOf, textOf, utf8Pieces } from './text-cut.ts';

/** UTF-8 bytes of a result that the model gets as they are; more goes to the artifact store. */
export const DEFAULT_RESULT_LIMIT_BYTES = 16_384;

/** Where a result that is too large goes. */
export interface BoundOptions {
  readonly artifacts: ArtifactStore;
  readonly owner: Owner;
  readonly runId: string;
  /** UTF-8 bytes of the longest answer to the model, at least 1,024. */
  readonly limitBytes: number;
  /** The tool that reads what was kept; `read_artifact` unless given. */
  readonly reader?: string;
  /** Ends the reading of a result that is a stream. */
  readonly signal: AbortSignal;
}

type Bounded = Pick<CallResult, 'content' | 'artifact'>;

/**
 * Makes what a tool gave back into an answer for the model, never longer than the limit: a larger body goes to the artifact
 * store piece by piece, and the answer is its beginning and where the rest is. Never throws: a result that cannot be read
 * makes a failed answer that says so, since the tool itself has run.
 */
export async function boundResult(value: unknown, options: BoundOptions): Promise<CallResult> {
  try {
    return { outcome: 'succeeded', ...(await bound(value, options)) };
  } catch (error) {
    const reason = headOf(cleanText(reasonOf(error)), 500);
    return {
      outcome: 'failed',
      code: error instanceof StewardError ? error.code : 'tool_failed',
      content: `The tool ran and may have taken effect, but its result cannot be read: ${reason}`,
    };
  }
}

async function bound(value: unknown, options: BoundOptions): Promise<Bounded> {
  if (value === undefined) return { content: 'Done. The tool gave no result.' };
  if (typeof value === 'string') return boundText(value, 'text/plain', options);
  if (value instanceof Uint8Array) return boundStream(single(value), options);
  if (value instanceof ToolContent) return boundParts(value.parts, options);
  if (isAsyncIterable(value)) return boundStream(value, options);
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`a ${typeof value} is not JSON`);
  return boundText(text, 'application/json', options);
}

async function boundText(text: string, mediaType: string, options: BoundOptions): Promise<Bounded> {
  // A UTF-16 unit takes one to three bytes of UTF-8: most texts need no counting.
  const fits =
    text.length * 3 <= options.limitBytes || Buffer.byteLength(text) <= options.limitBytes;
  if (fits) return { content: cleanText(text) };
  // Twice the length: cleaning may take away.
  const head = cleanText(text.slice(0, 2 * options.limitBytes));
  return offload(utf8Pieces(text), mediaType, head, options);
}

async function boundStream(
  source: AsyncIterable<unknown>,
  options: BoundOptions,
): Promise<Bounded> {
  const { head, complete, body } = await peek(source, options.limitBytes, options.signal);
  const text = textOf(head);
  if (complete && text !== null && head.length <= options.limitBytes) {
    await body.return(undefined);
    return { content: cleanText(text) };
  }
  const mediaType = text === null ? 'application/octet-stream' : 'text/plain';
  return offload(body, mediaType, text, options);
}

/** Text parts are one text; what is not text goes to the artifact store and is named in it. */
async function boundParts(
  parts: readonly ToolContentPart[],
  options: BoundOptions,
): Promise<Bounded> {
  const texts: string[] = [];
  let first: ArtifactReference | undefined;
  for (const part of parts) {
    if (part.type === 'text') texts.push(part.text);
    else {
      const kept = await offload([part.bytes], part.mediaType, null, options);
      texts.push(kept.content);
      first ??= kept.artifact;
    }
  }
  const whole = await boundText(texts.join('\n'), 'text/plain', options);
  const artifact = whole.artifact ?? first;
  return { content: whole.content, ...(artifact === undefined ? {} : { artifact }) };
}

/** Half of the limit for the preview: enough to answer most questions, and the rest is one call away. */
async function offload(
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  mediaType: string,
  head: string | null,
  options: BoundOptions,
): Promise<Bounded> {
  const preview = head === null ? '' : headOf(head, Math.floor(options.limitBytes / 2));
  const shown = Buffer.byteLength(preview);
  const stored = await keep(body, mediaType, options);
  if (stored instanceof StewardError) {
    const sentence = `[Only the first ${shown} bytes of the result are here. The rest could not be kept: ${headOf(stored.detail, 200)}]`;
    return { content: joined(preview, sentence) };
  }
  const { artifactId, bytes } = stored;
  const sentence =
    head === null
      ? `[${bytes} bytes of ${mediaType}, kept as artifact ${artifactId}]`
      : `[The first ${shown} of ${bytes} bytes. The whole is artifact ${artifactId}; ${options.reader ?? 'read_artifact'} reads any part of it.]`;
  return { content: joined(preview, sentence), artifact: stored };
}

const joined = (preview: string, sentence: string): string =>
  preview === '' ? sentence : `${preview}\n\n${sentence}`;

/** The tool has run: that its result cannot be kept must not make it look as if it had not. */
async function keep(
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  mediaType: string,
  { artifacts, owner, runId }: BoundOptions,
): Promise<ArtifactReference | StewardError> {
  let sourceFailure: { readonly error: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      sourceFailure = { error };
      throw error;
    }
  }
  try {
    return await artifacts.put({ ...owner, runId, mediaType, body: watched() });
  } catch (error) {
    if (sourceFailure !== undefined) throw sourceFailure.error;
    return StewardError.from(error, 'store_unavailable');
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'it threw something that cannot be described';
  }
}

import { StewardError } from '../errors/steward-error.ts';
import { utf8Pieces } from './text-cut.ts';

/** The beginning of a stream, and all of it. */
export interface Peeked {
  /** At most as many bytes as asked for; more only by the rest of the last chunk. */
  readonly head: Uint8Array;
  /** Whether `head` is all there is. */
  readonly complete: boolean;
  /** From the first byte on. To be read to the end, or returned. */
  readonly body: AsyncGenerator<Uint8Array>;
}

/** Reads the first `limit` bytes of a stream of text or bytes, or all of it when it is shorter. Ends with the signal. */
export async function peek(
  source: AsyncIterable<unknown>,
  limit: number,
  signal: AbortSignal,
): Promise<Peeked> {
  const body = bytesOf(source, signal);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let complete = false;
  while (size <= limit && !complete) {
    const next = await body.next();
    if (next.done === true) complete = true;
    else {
      chunks.push(next.value);
      size += next.value.length;
    }
  }
  return { head: Buffer.concat(chunks), complete, body: concat(chunks, body) };
}

async function* concat(
  head: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* bytesOf(
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const { aborted, stop } = whenAborted(signal);
  // The first half of a surrogate pair whose second half is in the next chunk.
  let cut = '';
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) break;
      if (typeof next.value === 'string') {
        const text = cut + next.value;
        cut = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
        yield* utf8Pieces(text.slice(0, text.length - cut.length));
      } else if (next.value instanceof Uint8Array) yield next.value;
      else throw new TypeError('the stream holds something that is neither text nor bytes');
    }
    yield* utf8Pieces(cut);
  } finally {
    stop();
    // Not awaited: a source that hangs in `next` would hang here too.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function whenAborted(signal: AbortSignal): {
  readonly aborted: Promise<never>;
  readonly stop: () => void;
} {
  let listener = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () =>
      reject(
        new StewardError('aborted', 'The result was not read to its end.', {
          cause: signal.reason,
        }),
      );
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  aborted.catch(() => undefined);
  return { aborted, stop: () => signal.removeEventListener('abort', listener) };
}

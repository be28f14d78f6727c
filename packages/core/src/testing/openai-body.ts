import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { OpenAiReply } from './openai-reply.ts';
import type { Frame } from './openai-wire.ts';
import { seededRandom } from './random.ts';

/** Thrown when the rest of a body need not be written: it was cut, or the client left. */
export class BodyOver extends Error {}

/** The body of one response, with the faults that work on bytes: slices and cuts. */
export interface FaultyBody {
  write(bytes: string | Uint8Array): Promise<void>;
  frame(frame: Frame): Promise<void>;
  /** Tears the connection. */
  cut(): never;
}

/** Writes to `response` as `reply` says it goes wrong; waits where the client reads slowly. */
export function faultyBody(response: ServerResponse, reply: OpenAiReply): FaultyBody {
  const sliceLength = slicer(reply.slice);
  const lineEnd = lineEnds(reply.newline);
  let left = reply.cutAfterBytes ?? Number.POSITIVE_INFINITY;

  async function send(slice: Uint8Array): Promise<void> {
    if (response.destroyed) throw new BodyOver();
    const kept = slice.subarray(0, left);
    left -= kept.length;
    const flushed = kept.length === 0 || response.write(kept);
    if (!flushed) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    if (left > 0) return;
    // The kept bytes have to leave before the connection is torn, or the client would see fewer.
    await setImmediate();
    cut();
  }

  function cut(): never {
    response.destroy();
    throw new BodyOver();
  }

  async function write(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(data);
    for (let at = 0; at < bytes.length; ) {
      const length = sliceLength(bytes.length);
      await send(bytes.subarray(at, at + length));
      at += length;
      if (reply.slice !== undefined) await setImmediate();
    }
  }

  return {
    write,
    frame({ event, data }) {
      const lines = [event && `event: ${event}`, `data: ${data}`, ''].filter(
        (line) => line !== undefined,
      );
      if (reply.comments) lines.unshift(': keep-alive');
      return write(lines.map((line) => `${line}${lineEnd()}`).join(''));
    },
    cut,
  };
}

function slicer(slice: OpenAiReply['slice']): (whole: number) => number {
  if (slice === undefined) return (whole) => whole;
  if (typeof slice === 'number') return () => slice;
  const random = seededRandom(slice.seed);
  return () => random.integer(1, slice.max);
}

function lineEnds(newline: OpenAiReply['newline']): () => string {
  if (newline !== 'mixed') return () => (newline === 'crlf' ? '\r\n' : '\n');
  const ends = ['\r\n', '\n'];
  let line = 0;
  return () => ends[line++ % ends.length] as string;
}

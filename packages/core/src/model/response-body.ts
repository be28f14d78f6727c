import type { IncomingMessage } from 'node:http';
import { type NodeResponse, pushedBody } from './node-fetch.ts';

/** Takes the text of a response as it arrives. */
export interface BodyTarget {
  text(slice: string): void;
  /** The body is over; `error` where it was cut. Called once, and never after `close`. */
  end(error?: unknown): void;
}

/** A response body that is being read. */
export interface ResponseBody {
  pause(): void;
  resume(): void;
  /** Gives the body up at once. */
  destroy(): void;
  /** The rest does not matter: lets the connection be used again if the body ends soon. */
  finish(): void;
}

/** Milliseconds that a server has to end a body whose turn is over, before the connection is closed. */
const graceMs = 1_000;

/** Starts to read the body of what a `fetch` gave: pushed by the socket where it can be, through web streams elsewhere. */
export function readBody(response: Response, target: BodyTarget): ResponseBody {
  const incoming = (response as Partial<Pick<NodeResponse, typeof pushedBody>>)[pushedBody];
  return incoming === undefined ? pullBody(response, target) : pushBody(incoming, target);
}

function pushBody(incoming: IncomingMessage, target: BodyTarget): ResponseBody {
  let open = true;
  const end = (error?: unknown) => {
    if (!open) return;
    open = false;
    target.end(error);
  };
  incoming.setEncoding('utf8');
  incoming.on('data', (slice: string) => {
    if (open) target.text(slice);
  });
  incoming.on('end', () => end());
  incoming.on('error', end);
  incoming.on('close', () => end(new Error('the connection was closed')));
  return {
    pause: () => incoming.pause(),
    resume: () => incoming.resume(),
    destroy: () => {
      open = false;
      incoming.destroy();
    },
    finish: () => {
      open = false;
      if (incoming.readableEnded || incoming.destroyed) return;
      incoming.resume();
      const timer = setTimeout(() => incoming.destroy(), graceMs);
      timer.unref();
      incoming.once('close', () => clearTimeout(timer));
    },
  };
}

function pullBody(response: Response, target: BodyTarget): ResponseBody {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let open = true;
  let wake: (() => void) | undefined;
  let paused: Promise<void> | undefined;
  const resume = () => {
    paused = undefined;
    wake?.();
  };
  const close = () => {
    open = false;
    resume();
    reader?.cancel().catch(() => undefined);
  };
  const pump = async () => {
    for (;;) {
      const slice = await reader?.read();
      if (!open) return;
      if (slice === undefined || slice.done) return target.end();
      target.text(slice.value);
      await paused;
    }
  };
  pump().catch((error: unknown) => {
    if (open) target.end(error);
    open = false;
  });
  return {
    pause: () => {
      paused ??= new Promise((resolve) => {
        wake = resolve;
      });
    },
    resume,
    destroy: close,
    finish: close,
  };
}

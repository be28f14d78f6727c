import type { IncomingMessage } from 'node:http';

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

/** What a provider answered, however the request was made. The body is taken once: as text, read, or discarded. */
export interface ProviderResponse {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** The whole body, cut where it is absurdly long: only errors are read so. */
  text(): Promise<string>;
  /** Starts to read the body as it arrives. */
  read(target: BodyTarget): ResponseBody;
  discard(): void;
}

/** Characters read of a body that is wanted as a whole. */
const maxErrorLength = 1024 * 1024;
/** Milliseconds that a server has to end a body whose turn is over, before the connection is closed. */
const graceMs = 1_000;

/** An answer whose body the socket pushes. */
export function pushedResponse(incoming: IncomingMessage): ProviderResponse {
  return {
    status: incoming.statusCode ?? 0,
    headers: { get: (name) => asText(incoming.headers[name]) },
    text: () => wholeText(incoming.setEncoding('utf8')),
    read: (target) => pushBody(incoming, target),
    discard: () => incoming.destroy(),
  };
}

/** An answer of a `fetch`, read through web streams. */
export function fetchedResponse(response: Response): ProviderResponse {
  const text = () => response.body?.pipeThrough(new TextDecoderStream());
  return {
    status: response.status,
    headers: response.headers,
    text: () => wholeText(text() ?? []),
    read: (target) => pullBody(text()?.getReader(), target),
    discard: () => void response.body?.cancel().catch(() => undefined),
  };
}

function asText(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
}

async function wholeText(pieces: AsyncIterable<string> | Iterable<string>): Promise<string> {
  let whole = '';
  for await (const piece of pieces) {
    whole += piece;
    if (whole.length > maxErrorLength) break;
  }
  return whole;
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
  incoming.on('close', () => {
    if (open) end(new Error('the connection was closed'));
  });
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

function pullBody(
  reader: ReadableStreamDefaultReader<string> | undefined,
  target: BodyTarget,
): ResponseBody {
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

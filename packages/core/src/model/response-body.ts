import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';

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
/** The highest byte that is a character of its own. */
const lastAscii = 0x7f;
/** Milliseconds that a server has to end a body whose turn is over, before the connection is closed. */
const graceMs = 1_000;

/** An answer whose body the socket pushes. */
export class PushedResponse implements ProviderResponse {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get status(): number {
    return this.#incoming.statusCode ?? 0;
  }

  get headers(): Pick<Headers, 'get'> {
    // From the raw list: nearly always one header is asked for, and the message would make an object of all of them.
    const { rawHeaders } = this.#incoming;
    return { get: (name) => rawHeader(rawHeaders, name) };
  }

  text(): Promise<string> {
    return wholeText(this.#incoming.setEncoding('utf8'));
  }

  read(target: BodyTarget): ResponseBody {
    return new PushedBody(this.#incoming, target);
  }

  discard(): void {
    this.#incoming.destroy();
  }
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

/** A header by its name in lower case; what was sent several times is joined. */
function rawHeader(raw: readonly string[], name: string): string | null {
  const values: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const key = raw[at] ?? '';
    // Most names are of another length, and need no copy in lower case.
    if (key.length === name.length && key.toLowerCase() === name) values.push(raw[at + 1] ?? '');
  }
  return values.length === 0 ? null : values.join(', ');
}

async function wholeText(pieces: AsyncIterable<string> | Iterable<string>): Promise<string> {
  let whole = '';
  for await (const piece of pieces) {
    whole += piece;
    if (whole.length > maxErrorLength) break;
  }
  return whole;
}

/** A body as the socket pushes it. */
class PushedBody implements ResponseBody {
  readonly #incoming: IncomingMessage;
  /** Made for the first slice that ends within a character: hardly any does, since events end with a line. */
  #decoder: StringDecoder | undefined;
  /** Who is told; nobody once the body is over or given up. */
  #target: BodyTarget | undefined;

  constructor(incoming: IncomingMessage, target: BodyTarget) {
    this.#incoming = incoming;
    this.#target = target;
    incoming.on('data', (bytes: Buffer) => this.#target?.text(this.#decode(bytes)));
    incoming.on('end', () => {
      this.#target?.text(this.#decoder?.end() ?? '');
      this.#end();
    });
    incoming.on('error', (error) => this.#end(error));
    incoming.on('close', () => {
      if (this.#target) this.#end(new Error('the connection was closed'));
    });
  }

  pause(): void {
    this.#incoming.pause();
  }

  resume(): void {
    this.#incoming.resume();
  }

  destroy(): void {
    this.#target = undefined;
    this.#incoming.destroy();
  }

  finish(): void {
    this.#target = undefined;
    const incoming = this.#incoming;
    if (incoming.readableEnded || incoming.destroyed) return;
    incoming.resume();
    const timer = setTimeout(() => incoming.destroy(), graceMs);
    timer.unref();
    incoming.once('close', () => clearTimeout(timer));
  }

  #decode(bytes: Buffer): string {
    const isWhole = (bytes.at(-1) ?? 0) <= lastAscii;
    if (this.#decoder === undefined && isWhole) return bytes.toString();
    this.#decoder ??= new StringDecoder('utf8');
    return this.#decoder.write(bytes);
  }

  #end(error?: unknown): void {
    const target = this.#target;
    this.#target = undefined;
    target?.end(error);
  }
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

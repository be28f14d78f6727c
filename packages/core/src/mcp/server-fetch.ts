const NEWLINE = 0x0a;

/** How the requests of one connection go out. */
export interface ServerFetchOptions {
  /** The longest answer, and of an event stream the longest event. */
  readonly maxBytes: number;
  /** The server: its own address, and what is sent to it and to nobody else. */
  readonly server: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /** For what is not the server itself, such as the authorization server that it names. */
  readonly others: typeof fetch;
  /** Made for each request; what it returns is called when the event stream of the answer ends or breaks off. */
  readonly watch?: () => ((isResumable: boolean) => void) | undefined;
}

/** A `fetch` with bounded answers: a longer one breaks off with an error. */
export function serverFetch({ maxBytes, server, others, watch }: ServerFetchOptions): typeof fetch {
  const { origin } = new URL(server.url);
  return async (input, init) => {
    const onEnd = watch?.();
    const isOwn = new URL(input instanceof Request ? input.url : input).origin === origin;
    const response = isOwn
      ? await fetch(input, { ...init, headers: withOwn(server.headers, init) })
      : await others(input, init);
    const isRedirect = response.status >= 300 && response.status < 400;
    if (response.body === null || isRedirect) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const body = isStream
      ? watched(response.body, new EventLimit(maxBytes), onEnd)
      : watched(response.body, new BodyLimit(maxBytes));
    return new Response(body, response);
  };
}

/** The headers of a request with those of the host, which the protocol's own go before. */
function withOwn(own: Readonly<Record<string, string>>, init: RequestInit | undefined): Headers {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(own)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

/** Passes the body on while it is within the limit, and says when it is over, however it ends. */
function watched(
  body: ReadableStream<Uint8Array>,
  limit: { take(chunk: Uint8Array): void; readonly isResumable: boolean },
  onEnd: (isResumable: boolean) => void = () => undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) limit.take(value);
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
        void reader.cancel(error).catch(() => undefined);
      }
      onEnd(limit.isResumable);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

class BodyLimit {
  readonly isResumable = false;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) throw tooLong(this.#maxBytes);
  }
}

/** The limit holds for each event, since the stream itself may live as long as the connection. */
class EventLimit {
  /** Whether an event had an id, from which the stream can be taken up again. */
  isResumable = false;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(chunk: Uint8Array): void {
    // An event of MCP is one line of data: it ends with the first line break, the next begins behind the last.
    const ends = chunk.indexOf(NEWLINE);
    this.#bytes += ends === -1 ? chunk.length : ends;
    if (this.#bytes > this.#maxBytes) throw tooLong(this.#maxBytes);
    if (ends !== -1) this.#bytes = chunk.length - chunk.lastIndexOf(NEWLINE) - 1;
    this.isResumable ||= /(^|\n)id:/.test(
      Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, 512)).toString('latin1'),
    );
  }
}

const tooLong = (maxBytes: number): RangeError =>
  new RangeError(`the answer is longer than ${maxBytes} bytes`);

const NEWLINE = 0x0a;

/**
 * A `fetch` whose answers are never longer than `maxBytes`; of an event stream that holds for each event, since the stream
 * itself may live as long as the connection. A longer one breaks off with an error.
 */
export function boundedFetch(maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const isRedirect = response.status >= 300 && response.status < 400;
    if (response.body === null || isRedirect) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    return new Response(response.body.pipeThrough(limit(maxBytes, isStream)), response);
  };
}

function limit(maxBytes: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      // An event of MCP is one line of data: it ends with the first line break, the next begins behind the last.
      const ends = isStream ? chunk.indexOf(NEWLINE) : -1;
      bytes += ends === -1 ? chunk.length : ends;
      if (bytes > maxBytes) throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
      if (ends !== -1) bytes = chunk.length - chunk.lastIndexOf(NEWLINE) - 1;
      controller.enqueue(chunk);
    },
  });
}

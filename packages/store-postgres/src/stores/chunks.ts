/** A part of a body. A body has at least one, and one last. */
export interface Chunk {
  readonly chunk: Uint8Array;
  readonly isLast: boolean;
}

/** Cuts a body into chunks of one size, the last one shorter, holding no more than one of them and a piece. */
export async function* inChunks(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Chunk> {
  let open = new Uint8Array(size);
  let filled = 0;
  for await (const piece of body) {
    for (let at = 0; at < piece.byteLength; ) {
      // A full chunk waits for the next byte: only then is it known not to be the last.
      if (filled === size) {
        yield { chunk: open, isLast: false };
        open = new Uint8Array(size);
        filled = 0;
      }
      const part = piece.subarray(at, at + size - filled);
      open.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
    }
  }
  yield { chunk: open.subarray(0, filled), isLast: true };
}

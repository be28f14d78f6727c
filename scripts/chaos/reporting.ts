// What a process of the campaign says to the one that started it.

/** How a process is once all is quiet. */
export interface Measurement {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Open resources by kind, such as `TCPSocketWrap`. */
  readonly resources: Readonly<Record<string, number>>;
}

export type Report =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'measured'; readonly measurement: Measurement };

export function report(said: Report): void {
  process.send?.(said);
}

/** Tells where this process listens, and ends it with the one that started it. */
export function reportReady(url: string): void {
  process.on('disconnect', () => process.exit(0));
  report({ kind: 'ready', url });
}

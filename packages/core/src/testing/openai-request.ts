import type { IncomingHttpHeaders } from 'node:http';

/** A request that the loopback server got. */
export interface OpenAiServerRequest {
  /** Counts from 1. */
  readonly n: number;
  /** `chat`: `/chat/completions`; `responses`: `/responses`. */
  readonly api: 'chat' | 'responses';
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether a stream was asked for. */
  readonly stream: boolean;
  /** Settles once the exchange is over: `answered`, or `left` when the connection ended before the answer did. */
  readonly closed: Promise<'answered' | 'left'>;
}

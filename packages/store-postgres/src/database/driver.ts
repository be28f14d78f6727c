/** A row as it comes from the database. */
export type Row = Readonly<Record<string, unknown>>;

/** One connection, for statements that belong together. */
export interface Session {
  readonly query: (
    text: string,
    values?: readonly unknown[],
  ) => Promise<{ readonly rows: readonly Row[] }>;
}

/** What is behind: a pool of connections to a server, or an embedded database. */
export interface Driver {
  /** Whether it is embedded: one connection, and nobody else at the data. */
  readonly isEmbedded: boolean;
  /** Runs one statement in a transaction of its own. Throws {@link NotSent} when the server cannot have seen it. */
  query(text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Lends out one connection, whose settings are gone afterwards. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** A way to the same database that no other work makes wait: one more connection, closed with the driver given. */
  reserve(): Driver;
  /** Releases what the driver opened itself. */
  close(): Promise<void>;
}

/** The statement never left this process: it may be sent again whatever it does. */
export class NotSent extends Error {
  override readonly name = 'NotSent';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

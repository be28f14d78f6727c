import { StewardError } from '@steward/core';
import pRetry from 'p-retry';
import type { Driver, Row } from './driver.ts';
import { mayRepeat, storeError } from './failures.ts';

/** Whether a statement may be sent again when nobody knows whether it took effect. */
export type Repetition = 'repeatable' | 'once';

/** How long a verb keeps trying while the server is away; leases last longer. */
const retryForMs = 6_000;

/** Our functions in one schema of a database. Each call is one statement, one transaction, one round trip. */
export class Database {
  readonly driver: Driver;
  /** The schema as an SQL identifier. */
  readonly schema: string;
  #isClosed = false;

  constructor(driver: Driver, schema: string) {
    this.driver = driver;
    this.schema = quoted(schema);
  }

  /** Calls a function that returns JSON. */
  async call<T>(name: string, values: readonly unknown[], repetition: Repetition): Promise<T> {
    const text = `select ${this.schema}.${name}(${marks(values)})::text as result`;
    const [row] = await this.#send(text, values, repetition);
    const result = row?.['result'];
    return (typeof result === 'string' ? JSON.parse(result) : null) as T;
  }

  /** Calls a function that returns nothing. */
  async run(name: string, values: readonly unknown[], repetition: Repetition): Promise<void> {
    await this.#send(`select ${this.schema}.${name}(${marks(values)})`, values, repetition);
  }

  /** Calls a function that returns bytes; `undefined` when there are none. */
  async bytes(name: string, values: readonly unknown[]): Promise<Uint8Array | undefined> {
    const text = `select ${this.schema}.${name}(${marks(values)}) as result`;
    const [row] = await this.#send(text, values, 'repeatable');
    const result = row?.['result'];
    return result instanceof Uint8Array ? result : undefined;
  }

  /** Takes no more statements and releases the connections. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.driver.close();
  }

  async #send(
    text: string,
    values: readonly unknown[],
    repetition: Repetition,
  ): Promise<readonly Row[]> {
    if (this.#isClosed) throw new StewardError('closed', 'The stores were closed; make new ones.');
    try {
      return await pRetry(() => this.driver.query(text, values), {
        retries: 50,
        minTimeout: 25,
        maxTimeout: 500,
        randomize: true,
        maxRetryTime: retryForMs,
        shouldRetry: ({ error }) =>
          !this.#isClosed && mayRepeat(error, repetition === 'repeatable'),
      });
    } catch (reason) {
      throw storeError(reason);
    }
  }
}

/** A name as an SQL identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function marks(values: readonly unknown[]): string {
  return values.map((_, index) => `$${index + 1}`).join(', ');
}

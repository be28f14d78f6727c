import type { Hint, Hints } from '@steward/core';
import { closeClient } from '../connection/open-client.ts';
import type { RedisClient } from '../connection/redis-client.ts';

/** What hints are made of. */
export interface RedisHintsParts {
  readonly prefix: string;
  readonly commands: RedisClient;
  /** Makes the connection on which hints are heard. */
  readonly openListening: () => RedisClient;
}

/** Hints by Pub/Sub, which forgets what nobody hears: as it should. The first listener opens the connection. */
export class RedisHints implements Hints {
  readonly #commands: RedisClient;
  readonly #openListening: () => RedisClient;
  readonly #channel: string;
  readonly #listeners = new Set<(hint: Hint) => void>();
  #listening: RedisClient | undefined;

  constructor({ prefix, commands, openListening }: RedisHintsParts) {
    this.#commands = commands;
    this.#openListening = openListening;
    this.#channel = `${prefix}:hints`;
  }

  tell(hint: Hint): void {
    this.#commands.call('PUBLISH', this.#channel, JSON.stringify(hint)).catch(() => {
      // The server is away: who should have heard it looks into the store with the next beat.
    });
  }

  listen(listener: (hint: Hint) => void): () => void {
    const own = (hint: Hint) => listener(hint);
    this.#listeners.add(own);
    this.#listening ??= this.#subscribe();
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    this.#listeners.clear();
    if (this.#listening) closeClient(this.#listening);
  }

  #subscribe(): RedisClient {
    const client = this.#openListening();
    client.on('message', (_channel, message) => {
      const hint = JSON.parse(message) as Hint;
      for (const listener of this.#listeners) listener(hint);
    });
    // With each connection again.
    client.on('ready', () => {
      client.subscribe(this.#channel).catch((reason: Error) => {
        process.emitWarning(`redisStores cannot hear hints: ${reason.message}`);
      });
    });
    return client;
  }
}

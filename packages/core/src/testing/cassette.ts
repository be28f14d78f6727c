import { AssertionError } from 'node:assert';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StewardError } from '../errors/steward-error.ts';
import { isRecord } from '../internal/json.ts';
import type { ModelClient, ModelRequest } from '../model/model-client.ts';
import type { ModelEvent } from '../model/model-events.ts';
import { firstDifference } from './first-difference.ts';

/** One request and what the model said to it. */
interface Exchange {
  readonly request: unknown;
  readonly events: readonly ModelEvent[];
}

interface Cassette {
  readonly version: 1;
  readonly exchanges: readonly Exchange[];
}

/** How a request finds its recorded answer. */
export interface ReplayOptions {
  /**
   * `strict` (default): the n-th request must be the n-th recorded one. `order`: it gets the n-th answer whatever it
   * asks, for tests in which the wording may change.
   */
  readonly match?: 'strict' | 'order';
}

/** A {@link ModelClient} that answers from a file. */
export interface ReplayingModel extends ModelClient {
  /** Every request seen, in order. */
  readonly requests: readonly ModelRequest[];
  /** Throws an `AssertionError` if recorded exchanges were not asked for. */
  assertComplete(): void;
}

/**
 * Passes requests on to a real model and keeps each exchange (request and events, as JSON) in the file at `path`, which
 * is written anew. Run it once by hand with a key, commit the file, and let tests use {@link replayingModel}. Headers
 * are never seen here; values that look like keys, and members named like credentials, are stored as `[redacted]`.
 * Look the file over before you publish it: what users wrote is in it.
 *
 * @example
 * ```ts
 * import { existsSync } from 'node:fs';
 * import type { ModelClient } from '@steward/core';
 * import { recordingModel, replayingModel } from '@steward/core/testing';
 *
 * const model = (real: ModelClient, path: string) =>
 *   existsSync(path) ? replayingModel(path) : recordingModel(real, path);
 * ```
 */
export function recordingModel(client: ModelClient, path: string): ModelClient {
  const exchanges: Exchange[] = [];
  let saved = Promise.resolve();
  const save = () => {
    saved = saved.then(() => write(path, { version: 1, exchanges }));
    return saved;
  };
  return {
    async *stream(request, options) {
      const events: ModelEvent[] = [];
      exchanges.push({ request: redacted(request), events });
      try {
        for await (const event of client.stream(request, options)) {
          events.push(redacted(event) as ModelEvent);
          yield event;
        }
      } finally {
        // Also when the caller leaves in mid-answer: what was said until then is the exchange.
        await save();
      }
    },
  };
}

/**
 * Answers from a file that {@link recordingModel} wrote, without network and at once. A request that is not the recorded
 * one, or one too many, fails the turn with an error that is never retried (status 400, code `cassette_mismatch`) and
 * names the first path that differs with both values. Throws a `StewardError` (`invalid_argument`, field `path`) if the
 * file cannot be read or is no cassette.
 *
 * @example
 * ```ts
 * import { replayingModel } from '@steward/core/testing';
 *
 * const open = () => replayingModel('test/cassettes/weather.json', { match: 'strict' });
 * ```
 */
export function replayingModel(path: string, options: ReplayOptions = {}): ReplayingModel {
  const { match = 'strict' } = options;
  if (match !== 'strict' && match !== 'order')
    throw new TypeError("match must be 'strict' or 'order'");
  const { exchanges } = read(path);
  const requests: ModelRequest[] = [];
  return {
    requests,
    async *stream(request, { signal }) {
      const n = requests.push({ ...request, messages: [...request.messages] });
      const exchange = exchanges[n - 1];
      const problem = mismatch(exchange, match === 'strict' ? request : undefined);
      if (!exchange || problem) {
        yield failure('cassette_mismatch', 400, `Request ${n} ${problem} (${path})`);
        return;
      }
      for (const event of exchange.events) {
        if (signal.aborted) return yield failure('aborted', null, 'The request was aborted.');
        yield event;
      }
    },
    assertComplete() {
      if (requests.length >= exchanges.length) return;
      const message = `replayingModel: ${requests.length} of ${exchanges.length} recorded requests came (${path})`;
      throw new AssertionError({ message });
    },
  };
}

function mismatch(
  exchange: Exchange | undefined,
  request: ModelRequest | undefined,
): string | undefined {
  if (!exchange) return 'is one more than were recorded; record again if that is meant.';
  const difference = request && firstDifference(exchange.request, redacted(request));
  if (!difference) return undefined;
  const { path, expected, actual } = difference;
  return `is not the recorded one: ${path || 'the request'} is ${brief(actual)}, recorded was ${brief(expected)}. Record again if that is meant.`;
}

function failure(code: string, status: number | null, message: string): ModelEvent {
  return { type: 'error', error: { status, code, type: 'replaying_model', message } };
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

const credentialName =
  /^(proxy-)?authorization$|^(set-)?cookie$|^(x-)?api[-_]?key$|^(access|refresh|bearer)[-_]?token$|^(client[-_]?)?secret$|^password$|^(extra[-_]?)?headers$/i;
const credentialText = /\b(?:sk|pk|rk)-[\w-]{16,}|\bBearer\s+[\w.~+/-]{8,}=*/g;

/** As plain JSON, without what looks like a credential. */
function redacted(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(credentialText, '[redacted]');
  if (Array.isArray(value)) return value.map(redacted);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [
      name,
      credentialName.test(name) && !isSchema(member) ? '[redacted]' : redacted(member),
    ]),
  );
}

/** A tool's parameter may be named `password`: its schema is no secret. */
function isSchema(member: unknown): boolean {
  return isRecord(member) && ('type' in member || 'anyOf' in member || '$ref' in member);
}

/** Renamed into place, so that a test that dies leaves no half a file. */
async function write(path: string, cassette: Cassette): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(cassette, null, 1)}\n`);
  await rename(draft, path);
}

function read(path: string): Cassette {
  const hint = 'Record it first with recordingModel().';
  try {
    const cassette: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isCassette(cassette)) return cassette;
  } catch (cause) {
    throw new StewardError('invalid_argument', `The cassette ${path} cannot be read. ${hint}`, {
      cause,
      field: 'path',
    });
  }
  throw new StewardError('invalid_argument', `${path} is not a cassette of version 1. ${hint}`, {
    field: 'path',
  });
}

function isCassette(value: unknown): value is Cassette {
  if (!isRecord(value) || value['version'] !== 1) return false;
  const exchanges = value['exchanges'];
  return (
    Array.isArray(exchanges) &&
    exchanges.every((exchange) => isRecord(exchange) && Array.isArray(exchange['events']))
  );
}

import type { LiveLog, LogReader, LogWriter, RateLimiter, RunEngine } from '@steward/core';
import { afterAll, describe } from 'vitest';
import { liveLogCases } from '../../core/src/testing/suites/live-log.ts';
import { rateLimiterCases } from '../../core/src/testing/suites/rate-limiter.ts';
import { engineDriver, runEngineCases } from '../../core/src/testing/suites/run-engine.ts';
import { catches } from '../../core/test/stores/mutants/mutant.ts';
import { bullMqEngine } from '../src/index.ts';
import {
  hasRedis,
  newPrefix,
  openStores,
  redisUrl,
  storesDriver,
  type TestStores,
} from './test-redis.ts';

const opened: TestStores[] = [];
// A case that hangs does not close what it opened.
afterAll(async () => {
  for (const stores of opened) await storesDriver.close(stores);
});

/** The driver with a broken part. */
function broken(breakage: (stores: TestStores) => Partial<TestStores>) {
  const open = async (prefix?: string): Promise<TestStores> => {
    const stores = await openStores({ prefix });
    opened.push(stores);
    return { ...stores, ...breakage(stores) };
  };
  return {
    ...storesDriver,
    open: () => open(),
    reopen: ({ prefix }: TestStores) => open(prefix),
    close: async () => {},
  };
}

type Mutants<P> = Readonly<
  Record<string, readonly [caughtBy: string, breakage: (sound: P) => Partial<P>, hangs?: 'hangs']>
>;

function withWriter(sound: LiveLog, change: (writer: LogWriter) => Partial<LogWriter>) {
  return {
    open: (...given: Parameters<LiveLog['open']>): LogWriter => {
      const writer = sound.open(...given);
      return {
        publish: (event) => writer.publish(event),
        close: () => writer.close(),
        ...change(writer),
      };
    },
  };
}

function withReader(sound: LiveLog, change: (reader: LogReader) => Partial<LogReader>) {
  return {
    tail: async (...given: Parameters<LiveLog['tail']>): Promise<LogReader | undefined> => {
      const reader = await sound.tail(...given);
      if (reader === undefined) return undefined;
      return {
        take: (max) => reader.take(max),
        wait: () => reader.wait(),
        close: () => reader.close(),
        ...change(reader),
      };
    },
  };
}

const liveLogs: Mutants<LiveLog> = {
  'a late writer that is let in': [
    'ignores a writer of an epoch that was replaced',
    (sound) => ({
      open: (key) => {
        const writer = sound.open(key, 9);
        return {
          publish: (event) =>
            writer.publish(event.cursor === '1-2' ? { ...event, cursor: '2-5' } : event),
          close: () => writer.close(),
        };
      },
    }),
  ],
  'a lost event': [
    'gives a reader every event from the first one, in order and unchanged',
    (sound) =>
      withWriter(sound, (writer) => ({
        publish: (event) => event.cursor === '1-2' || writer.publish(event),
      })),
    'hangs',
  ],
  'a doubled event': [
    'gives a reader every event from the first one, in order and unchanged',
    (sound) =>
      withReader(sound, (reader) => ({
        take: (max) => reader.take(max).flatMap((event) => [event, event]),
      })),
  ],
};

const rateLimiters: Mutants<RateLimiter> = {
  'points taken by a refusal': [
    'takes several points at once, or none',
    (sound) => ({
      take: async (key, limit, cost = 1) => {
        const outcome = await sound.take(key, limit, cost);
        if (!outcome.allowed) await sound.take(key, limit, 1);
        return outcome;
      },
    }),
  ],
  'a limit of each process': [
    'allows exactly the limit when 50 take at once',
    (sound) => {
      const mine = newPrefix();
      return { take: (key, ...rest) => sound.take(mine + key, ...rest) };
    },
  ],
};

const engines: Mutants<RunEngine> = {
  'a lost segment': [
    'loses none of 500 segments',
    (sound) => ({
      enqueue: async (wake) => (wake.runId === 'run-77' ? undefined : sound.enqueue(wake)),
    }),
    'hangs',
  ],
  'a segment that is taken twice': [
    'hands every segment to the handler, whether it was enqueued before or after the start',
    (sound) => ({
      start: (handler) =>
        sound.start(async (wake, signal) => {
          await handler(wake, signal);
          await handler(wake, signal);
        }),
    }),
  ],
  'a stop that does not wait for what is given back': [
    'takes what is given back while it stops, and stops only after that',
    (sound) => ({ stop: (drainMs) => sound.stop(drainMs) }),
  ],
};

describe.runIf(hasRedis)('the suites on Redis', () => {
  for (const [what, [caughtBy, breakage, hangs]] of Object.entries(liveLogs)) {
    const driver = broken(({ liveLog }) => ({
      liveLog: {
        open: (...given) => liveLog.open(...given),
        tail: (...given) => liveLog.tail(...given),
        close: () => liveLog.close(),
        ...breakage(liveLog),
      },
    }));
    catches(liveLogCases, what, { caughtBy, driver, hangs: hangs === 'hangs' });
  }
  for (const [what, [caughtBy, breakage]] of Object.entries(rateLimiters)) {
    const driver = broken(({ rateLimiter }) => ({
      rateLimiter: { ...rateLimiter, ...breakage(rateLimiter) },
    }));
    catches(rateLimiterCases, what, { caughtBy, driver });
  }
  for (const [what, [caughtBy, breakage, hangs]] of Object.entries(engines)) {
    const driver = engineDriver<RunEngine>({
      open: async () => {
        const sound = await bullMqEngine({ url: redisUrl, prefix: newPrefix() });
        afterAll(() => sound.stop(0));
        return {
          enqueue: (wake) => sound.enqueue(wake),
          start: (handler) => sound.start(handler),
          stop: (drainMs, until) => sound.stop(drainMs, until),
          stats: () => sound.stats(),
          ...breakage(sound),
        };
      },
      close: (engine) => engine.stop(0),
    });
    catches(runEngineCases, what, { caughtBy, driver, hangs: hangs === 'hangs' });
  }
});

import { AssertionError } from 'node:assert';
import { describe } from 'vitest';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import type { LiveLog, LogReader, LogWriter } from '../../src/events/live-log.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { Owner } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { artifactStoreCases } from '../../src/testing/suites/artifact-store.ts';
import { auditLogCases, withTampering } from '../../src/testing/suites/audit-log.ts';
import { conversationStoreCases } from '../../src/testing/suites/conversation-store.ts';
import { liveLogCases } from '../../src/testing/suites/live-log.ts';
import { rateLimiterCases } from '../../src/testing/suites/rate-limiter.ts';
import { engineDriver, runEngineCases } from '../../src/testing/suites/run-engine.ts';
import type { SuiteCase, SuiteDriver } from '../../src/testing/suites/suite.ts';
import { toolServerStoreCases } from '../../src/testing/suites/tool-server-store.ts';
import { usageStoreCases } from '../../src/testing/suites/usage-store.ts';
import { artifactDriver, auditDriver, clock, inProcessDriver } from './in-process-driver.ts';
import { catches } from './mutant.ts';

type Port = Exclude<keyof Stores, 'close'>;
type Mutants<P> = Readonly<
  Record<string, readonly [caughtBy: string, breakage: (port: P) => Partial<P>, hangs?: 'hangs']>
>;

/** Registers a test per mutant of one port of the stores. */
function describeMutants<P extends Port>(
  port: P,
  cases: readonly SuiteCase<Pick<Stores, P>>[],
  mutants: Mutants<Stores[P]>,
  driver: SuiteDriver<Stores> = inProcessDriver,
): void {
  describe(`the suite of ${port}`, () => {
    for (const [what, [caughtBy, breakage, hangs]] of Object.entries(mutants)) {
      const breakIt = (stores: Stores): Stores => {
        const sound = bound(stores[port]);
        return { ...stores, [port]: { ...sound, ...breakage(sound) } };
      };
      const open = async () => breakIt(await driver.open());
      catches(cases, what, { caughtBy, driver: { ...driver, open }, hangs: hangs === 'hangs' });
    }
  });
}

/** The methods of a port as plain functions, so that some can be replaced. */
function bound<P extends object>(port: P): P {
  const names = [...Object.keys(port), ...Object.getOwnPropertyNames(Object.getPrototypeOf(port))];
  const methods = names.flatMap((name) => {
    const method: unknown = Reflect.get(port, name);
    return name !== 'constructor' && typeof method === 'function'
      ? [[name, method.bind(port)] as const]
      : [];
  });
  return Object.fromEntries(methods) as P;
}

const everybody: Owner = { tenantId: 'tenant', userId: 'user' };
const later = () => Promise.resolve();

describeMutants('conversations', conversationStoreCases, {
  'messages of everybody': [
    'shows and deletes conversations for their owner only',
    (sound) => ({
      append: (_, ...rest) => sound.append(everybody, ...rest),
      read: (_, ...rest) => sound.read(everybody, ...rest),
    }),
  ],
  'the oldest messages instead of the newest': [
    'returns the newest messages, the oldest of them first, and pages back from there',
    (sound) => ({
      read: async (owner, id, { limit }) =>
        (await sound.read(owner, id, { limit: 1_000 })).slice(0, limit),
    }),
  ],
  'a message that is appended twice': [
    'appends a message once',
    (sound) => ({
      append: (owner, id, message) =>
        sound.append(owner, id, { ...message, messageId: `${message.messageId} ${Math.random()}` }),
    }),
  ],
  'a list in the wrong order': [
    'lists conversations, the last one written to first, in pages',
    (sound) => ({ list: async (...given) => (await sound.list(...given)).toReversed() }),
  ],
  'a conversation that is not deleted': [
    'deletes a conversation, twice without an error',
    () => ({ delete: async () => 'deleted' }),
  ],
});

describeMutants('usage', usageStoreCases, {
  'a reservation that looks first and takes later': [
    'grants exactly what the limit holds when 50 reserve at once',
    (sound) => ({
      reserve: async (owner, id, tokens, limits) => {
        for (const limit of limits) {
          const { used, reserved } = await sound.read(owner, limit.windowMs);
          if (used + reserved + tokens > limit.tokens) return { granted: false, retryAfterMs: 1 };
        }
        await later();
        return sound.reserve(owner, id, tokens, []);
      },
    }),
  ],
  'a reservation that is never given back': [
    'replaces a reservation by what was used, once',
    () => ({ settle: async () => {} }),
  ],
  'a reservation counted twice': [
    'reserves once under an id, also after it was settled',
    (sound) => ({
      reserve: (owner, id, ...rest) => sound.reserve(owner, `${id} ${Math.random()}`, ...rest),
    }),
  ],
  'one limit out of several': [
    'needs the consent of every limit and reserves nothing otherwise',
    (sound) => ({
      reserve: (owner, id, tokens, limits) => sound.reserve(owner, id, tokens, limits.slice(0, 1)),
    }),
  ],
  'an account of everybody': [
    'keeps the accounts of users and tenants apart',
    (sound) => ({
      reserve: (_, ...rest) => sound.reserve(everybody, ...rest),
      settle: (_, ...rest) => sound.settle(everybody, ...rest),
      read: (_, ...rest) => sound.read(everybody, ...rest),
    }),
  ],
  'a window that never ends': [
    'begins anew with each window of the clock of the store',
    (sound) => ({ read: (owner) => sound.read(owner, Number.MAX_SAFE_INTEGER) }),
  ],
});

describeMutants('rateLimiter', rateLimiterCases, {
  'a limiter that allows everything': [
    'allows as many as the limit says, then says how long to wait',
    () => ({ take: async ({ length }) => ({ allowed: true, remaining: length }) }),
  ],
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
  'a window that never ends': [
    'allows again after the window',
    (sound) => ({ take: (key, limit, cost) => sound.take(key, { ...limit, windowMs: 1e9 }, cost) }),
  ],
  'keys that run together': [
    'counts keys apart, whatever characters they have',
    (sound) => ({ take: (key, ...rest) => sound.take(key.trim(), ...rest) }),
  ],
});

describeMutants('toolServers', toolServerStoreCases, {
  'the last writer who wins': [
    'lets one of 50 changes of the same version at once succeed',
    (sound) => ({
      put: async (record) => {
        const stored = await sound.get(record.tenantId, record.name);
        if ((stored?.version ?? 0) !== record.version) return false;
        let { version } = record;
        while (!(await sound.put({ ...record, version }))) version += 1;
        return true;
      },
    }),
  ],
  'one registry for all tenants': [
    'keeps tenants apart',
    (sound) => ({
      put: (record) => sound.put({ ...record, tenantId: 'all' }),
      get: (_, name) => sound.get('all', name),
    }),
  ],
});

describeMutants(
  'artifacts',
  artifactStoreCases(artifactDriver.artifactBytes),
  {
    'artifacts shown to strangers': [
      'shows and deletes artifacts for their owner only',
      (sound) => ({
        put: (artifact) => sound.put({ ...artifact, ...everybody }),
        read: (_, ...rest) => sound.read(everybody, ...rest),
      }),
    ],
    'a range that is one byte too long': [
      'reads ranges: the start is included, the end is not, beyond the end is nothing',
      (sound) => ({
        read: (owner, id, range) =>
          sound.read(
            owner,
            id,
            range?.end === undefined ? range : { start: range.start, end: range.end + 1 },
          ),
      }),
    ],
    'a body that is not kept to its end': [
      'keeps bodies of 0 bytes to 2 MiB, however they are cut',
      (sound) => ({
        put: (artifact) => sound.put({ ...artifact, body: firstPiece(artifact.body) }),
      }),
    ],
  },
  artifactDriver,
);

async function* firstPiece(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    yield piece;
    return;
  }
}

describeMutants(
  'artifacts',
  artifactStoreCases(artifactDriver.artifactBytes),
  {
    'a store without a limit': [
      'takes a body as large as allowed and refuses a larger one, keeping nothing of it',
      (sound) => sound,
    ],
  },
  { ...artifactDriver, open: async () => inProcessStores({ clock }) },
);

/** A live log whose writers are broken. */
function withWriter(
  sound: LiveLog,
  breakage: (writer: LogWriter, epoch: number) => Partial<LogWriter>,
): Partial<LiveLog> {
  return {
    open: (key, epoch) => {
      const writer = sound.open(key, epoch);
      return { ...writer, ...breakage(writer, epoch) };
    },
  };
}

/** A live log whose readers are broken. */
function withReader(
  sound: LiveLog,
  breakage: (reader: LogReader) => Partial<LogReader>,
): Partial<LiveLog> {
  return {
    tail: async (key, after) => {
      const reader = await sound.tail(key, after);
      if (reader === undefined) return undefined;
      const plain = bound(reader);
      return { ...plain, ...breakage(plain) };
    },
  };
}

describeMutants('liveLog', liveLogCases, {
  'a lost event': [
    'gives a reader every event from the first one, in order and unchanged',
    (sound) =>
      withWriter(sound, (writer) => ({
        publish: (event) => {
          if (!event.cursor.endsWith('-2')) writer.publish(event);
        },
      })),
    'hangs',
  ],
  'a doubled event': [
    'gives a reader every event from the first one, in order and unchanged',
    (sound) =>
      withWriter(sound, (writer) => ({
        publish: (event) => {
          writer.publish(event);
          if (event.cursor.endsWith('-2')) writer.publish(event);
        },
      })),
  ],
  'a late writer that is heard': [
    'ignores a writer of an epoch that was replaced',
    (sound) => ({
      open: (key, epoch) => {
        sound.open(key, epoch);
        return {
          publish: (event) => sound.open(key, 9).publish(event),
          close: async () => {},
        };
      },
    }),
  ],
  'one log for all incarnations': [
    'keeps the logs of runs and of their incarnations apart',
    (sound) => ({
      open: (key, epoch) => sound.open({ ...key, incarnation: '' }, epoch),
      tail: (key, after) => sound.tail({ ...key, incarnation: '' }, after),
    }),
  ],
  'a cursor that is forgotten': [
    'gives the events after any cursor it has',
    (sound) => ({ tail: (key) => sound.tail(key) }),
  ],
  'an unknown cursor that is served from the start': [
    'serves no cursor that it cannot place, and no run that it does not have',
    (sound) => ({
      tail: async (key, after) => (await sound.tail(key, after)) ?? (await sound.tail(key)),
    }),
  ],
  'the event of the cursor given again': [
    'gives a reader that is cut and resumes again and again each of 5,000 events once',
    (sound) => ({
      tail: (key, after) => {
        const k = Number(after?.split('-')[1]);
        return sound.tail(key, k > 0 ? `1-${k - 1}` : after);
      },
    }),
  ],
  'a reader that is not woken': [
    'wakes every waiting reader with what is published later',
    (sound) => withReader(sound, () => ({ wait: () => new Promise(() => {}) })),
    'hangs',
  ],
  'a reader that is woken by a closed log as if there were more': [
    'settles every wait as lost when the log is closed',
    (sound) =>
      withReader(sound, (reader) => ({ wait: () => reader.wait().then(() => 'more' as const) })),
  ],
  'a closed reader that still waits': [
    'settles the wait of a reader that is closed, and of no other',
    (sound) => withReader(sound, () => ({ close: () => {} })),
    'hangs',
  ],
  'a writer that throws after its end': [
    'never throws at the writer, also after it or the log was closed',
    (sound) => withWriter(sound, () => throwingAfterClose()),
  ],
});

function throwingAfterClose(): Partial<LogWriter> {
  let isClosed = false;
  return {
    publish: () => {
      if (isClosed) throw new AssertionError({ message: 'closed' });
    },
    close: async () => {
      isClosed = true;
    },
  };
}

describe('the suite of the audit log', () => {
  for (const { title } of auditLogCases.filter((one) => one.title.startsWith('finds '))) {
    catches(auditLogCases, `a check that finds nothing (${title})`, {
      caughtBy: title,
      driver: withTampering({
        ...auditDriver,
        open: async () => {
          const { audit, db } = await auditDriver.open();
          const blind = { ...audit, verify: async () => ({ valid: true, length: 0, head: null }) };
          return { audit: blind as typeof audit, db };
        },
      }),
    });
  }
  catches(auditLogCases, 'entries shown to strangers', {
    caughtBy: 'shows entries to their owner only, and chains them all',
    driver: withTampering({
      ...auditDriver,
      open: async () => {
        const { audit, db } = await auditDriver.open();
        const open = {
          ...audit,
          read: async (_: Owner, name: string) => db.chains.get(name)?.sealed ?? [],
        };
        return { audit: open, db };
      },
    }),
  });
});

const engineMutants: Mutants<RunEngine> = {
  'a segment that is taken twice': [
    'takes a segment once while it is queued or running, and again after that',
    (sound) => ({
      enqueue: (wake) => sound.enqueue({ ...wake, segment: wake.segment + Math.random() }),
    }),
  ],
  'a segment that is lost': [
    'loses none of 500 segments',
    (sound) => ({
      enqueue: async (wake) => {
        if (wake.runId !== 'run-77') await sound.enqueue(wake);
      },
    }),
    'hangs',
  ],
  'one segment at a time': [
    'runs segments side by side and counts them',
    () => bound(new InProcessEngine({ concurrency: 1 })),
    'hangs',
  ],
  'a stop that does not wait': [
    'waits for running segments when it stops, and does not disturb them in the drain time',
    (sound) => ({
      stop: async (drainMs) => {
        sound.stop(drainMs).catch(() => undefined);
      },
    }),
  ],
  'a stop that aborts at once': [
    'waits for running segments when it stops, and does not disturb them in the drain time',
    (sound) => ({
      start: (handler) => sound.start((wake) => handler(wake, AbortSignal.abort())),
    }),
  ],
  'a stop that never aborts': [
    'aborts what still runs after the drain time, and waits for it',
    (sound) => ({ stop: () => sound.stop(60_000) }),
    'hangs',
  ],
  'a start after the stop': [
    'begins nothing after it was told to stop',
    (sound) => ({ stats: () => ({ ...sound.stats(), running: 1 }) }),
  ],
};

describe('the suite of the engine', () => {
  for (const [what, [caughtBy, breakage, hangs]] of Object.entries(engineMutants)) {
    const open = async (): Promise<RunEngine> => {
      const sound: RunEngine = bound<RunEngine>(new InProcessEngine());
      return { ...sound, ...breakage(sound) };
    };
    catches(runEngineCases, what, {
      caughtBy,
      driver: engineDriver({ open, close: async () => {} }),
      hangs: hangs === 'hangs',
    });
  }
});

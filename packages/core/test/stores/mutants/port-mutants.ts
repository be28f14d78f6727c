import type { ArtifactStore } from '../../../src/stores/artifact-store.ts';
import type { AuditLog } from '../../../src/stores/audit-log.ts';
import type { BreakerStore } from '../../../src/stores/breaker-store.ts';
import type { ConversationStore } from '../../../src/stores/conversation-store.ts';
import type { RateLimiter } from '../../../src/stores/rate-limiter.ts';
import type { Owner } from '../../../src/stores/run-store.ts';
import type { ToolServerStore } from '../../../src/stores/tool-server-store.ts';
import type { UsageStore } from '../../../src/stores/usage-store.ts';
import { artifactStoreCases } from '../../../src/testing/suites/artifact-store.ts';
import { auditLogCases } from '../../../src/testing/suites/audit-log.ts';
import { breakerStoreCases } from '../../../src/testing/suites/breaker-store.ts';
import { conversationStoreCases } from '../../../src/testing/suites/conversation-store.ts';
import { rateLimiterCases } from '../../../src/testing/suites/rate-limiter.ts';
import { toolServerStoreCases } from '../../../src/testing/suites/tool-server-store.ts';
import { usageStoreCases } from '../../../src/testing/suites/usage-store.ts';
import type { Mutants, PortMutants } from './describe-mutants.ts';

const everybody: Owner = { tenantId: 'tenant', userId: 'user' };
const later = () => Promise.resolve();

/** Broken implementations of ConversationStore. */
export const conversationMutants: PortMutants<'conversations', ConversationStore> = {
  port: 'conversations',
  cases: conversationStoreCases,
  mutants: {
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
          sound.append(owner, id, {
            ...message,
            messageId: `${message.messageId} ${Math.random()}`,
          }),
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
  },
};

/** Broken implementations of UsageStore. */
export const usageMutants: PortMutants<'usage', UsageStore> = {
  port: 'usage',
  cases: usageStoreCases,
  mutants: {
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
        reserve: (owner, id, tokens, limits) =>
          sound.reserve(owner, id, tokens, limits.slice(0, 1)),
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
  },
};

/** Broken implementations of RateLimiter. */
export const rateLimiterMutants: PortMutants<'rateLimiter', RateLimiter> = {
  port: 'rateLimiter',
  cases: rateLimiterCases,
  mutants: {
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
      (sound) => ({
        take: (key, limit, cost) => sound.take(key, { ...limit, windowMs: 1e9 }, cost),
      }),
    ],
    'keys that run together': [
      'counts keys apart, whatever characters they have',
      (sound) => ({ take: (key, ...rest) => sound.take(key.trim(), ...rest) }),
    ],
  },
};

/** Broken implementations of ToolServerStore. */
export const toolServerMutants: PortMutants<'toolServers', ToolServerStore> = {
  port: 'toolServers',
  cases: toolServerStoreCases,
  mutants: {
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
  },
};

/** Broken implementations of ArtifactStore, which takes bodies of so many bytes. */
export const artifactMutants = (
  artifactBytes: number,
): PortMutants<'artifacts', ArtifactStore> => ({
  port: 'artifacts',
  cases: artifactStoreCases(artifactBytes),
  mutants: {
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
});

async function* firstPiece(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    yield piece;
    return;
  }
}

/** Broken implementations of BreakerStore. */
export const breakerMutants: PortMutants<'breakers', BreakerStore> = {
  port: 'breakers',
  cases: breakerStoreCases,
  mutants: {
    'a breaker that never opens': [
      'refuses calls in every process while it cools, and says how long',
      () => ({ open: async () => {} }),
    ],
    'a breaker of each process': [
      'refuses calls in every process while it cools, and says how long',
      (sound) => {
        const mine = String(Math.random());
        return {
          admit: (name, probeMs) => sound.admit(name + mine, probeMs),
          open: (name, coolingMs) => sound.open(name + mine, coolingMs),
        };
      },
    ],
    'probes without a limit': [
      'lets one of 50 calls at once probe after the cooling',
      (sound) => ({
        admit: async (name, probeMs) => {
          await sound.admit(name, probeMs);
          return { allowed: true, isProbe: true };
        },
      }),
    ],
    'a probe that is waited for for ever': [
      'lets the next call probe when nobody hears of a probe',
      (sound) => ({ admit: (name) => sound.admit(name, 3_600_000) }),
    ],
    'a breaker that never closes': [
      'allows calls in every process after it was closed',
      () => ({ close: async () => {} }),
    ],
    'a probe that fails unheard': [
      'cools again after a probe that failed, and lets one probe after that',
      (sound) => {
        let opened = 0;
        return {
          open: async (name, coolingMs) => {
            opened += 1;
            if (opened === 1) await sound.open(name, coolingMs);
          },
        };
      },
    ],
    'a cooling that the last one sets': [
      'never shortens a cooling',
      (sound) => ({
        open: async (name, coolingMs) => {
          await sound.close(name);
          await sound.open(name, coolingMs);
        },
      }),
    ],
    'names that run together': [
      'keeps names apart, whatever characters they have',
      (sound) => ({ admit: (name, probeMs) => sound.admit(name.trim(), probeMs) }),
    ],
  },
};

/** Broken implementations of AuditLog, whose records somebody tampers with. */
export const auditMutants: PortMutants<'audit', AuditLog> = {
  port: 'audit',
  cases: auditLogCases,
  mutants: {
    ...Object.fromEntries(
      auditLogCases
        .filter(({ title }) => title.startsWith('finds '))
        .map(({ title }): [string, Mutants<AuditLog>[string]] => [
          `a check that finds nothing (${title})`,
          [title, () => ({ verify: async () => ({ valid: true, length: 0, head: null }) })],
        ]),
    ),
    'entries shown to strangers': [
      'shows entries to their owner only, and chains them all',
      (sound) => ({
        append: (entry) => sound.append({ ...entry, ...everybody }),
        read: (_, chain) => sound.read(everybody, chain),
      }),
    ],
  },
};

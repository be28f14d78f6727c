import assert from 'node:assert/strict';
import { verifyChain } from '../../stores/audit-chain.ts';
import type { AuditEntry, AuditLog, AuditRecord } from '../../stores/audit-log.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What is done to the stored records of a chain. */
export type AuditEdit = (records: readonly AuditRecord[]) => readonly AuditRecord[];

/** What a driver of this suite opens. */
export type AuditLogSubject = { readonly audit: AuditLog };

/** How the suite gets hold of an AuditLog and plays the one who has access to its storage. */
export interface AuditLogDriver<S> extends SuiteDriver<S> {
  /** Replaces the stored records of a chain behind the back of the log. */
  tamper(store: S, chain: string, edit: AuditEdit): Promise<void>;
}

type TamperedSubject = AuditLogSubject & {
  tamper(chain: string, edit: AuditEdit): Promise<void>;
};

const owner = { tenantId: 'tenant-1', userId: 'user-1' };

function entry(action: string, changes: Partial<AuditEntry> = {}): AuditEntry {
  return { ...owner, chain: 'registry', action, details: { argsDigest: 'd-1' }, ...changes };
}

async function written({ audit }: AuditLogSubject, count = 4): Promise<void> {
  for (let index = 1; index <= count; index++) await audit.append(entry(`action-${index}`));
}

/** What somebody with access to the storage might do, and where the check must notice. */
const attacks: Readonly<Record<string, { edit: AuditEdit; at: number }>> = {
  'changed details': {
    edit: (all) =>
      all.map((one, i) => (i === 1 ? { ...one, details: { argsDigest: 'd-2' } } : one)),
    at: 2,
  },
  'a changed action': {
    edit: (all) => all.map((one, i) => (i === 2 ? { ...one, action: 'nothing' } : one)),
    at: 3,
  },
  'a changed time': {
    edit: (all) => all.map((one, i) => (i === 0 ? { ...one, at: one.at + 1 } : one)),
    at: 1,
  },
  'a changed user': {
    edit: (all) => all.map((one, i) => (i === 1 ? { ...one, userId: 'user-2' } : one)),
    at: 2,
  },
  'a removed record': { edit: (all) => all.filter((_, i) => i !== 1), at: 2 },
  'a removed beginning': { edit: (all) => all.slice(1), at: 1 },
  'records in another order': {
    edit: ([first, second, third, ...rest]) =>
      [first, third, second, ...rest].filter((one) => one !== undefined),
    at: 2,
  },
};

const attackCases: readonly SuiteCase<TamperedSubject>[] = Object.entries(attacks).map(
  ([what, { edit, at }]) => ({
    title: `finds ${what}`,
    async run({ store }) {
      await written(store);
      await store.tamper('registry', edit);
      assert.deepEqual(await store.audit.verify('registry'), { valid: false, brokenAt: at });
    },
  }),
);

/** Everything that an AuditLog promises on its own; what runs write to it is in the cases of the RunStore. */
export const auditLogCases: readonly SuiteCase<TamperedSubject>[] = [
  ...attackCases,
  {
    title: 'numbers the entries of a chain and gives them out as they were written',
    async run({ store: { audit } }) {
      const first = await audit.append(entry('server.added'));
      const second = await audit.append(entry('server.removed', { details: { n: [1, null] } }));
      assert.deepEqual([first.sequence, second.sequence], [1, 2]);
      assert.match(first.hash, /^[0-9a-f]{64}$/);
      assert.deepEqual(await audit.read(owner, 'registry'), [first, second]);
      assert.deepEqual(second.details, { n: [1, null] });
    },
  },
  {
    title: 'vouches for an untouched chain and for an empty one',
    async run({ store }) {
      await written(store);
      const records = await store.audit.read(owner, 'registry');
      const verdict = { valid: true, length: 4, head: records.at(-1)?.hash ?? null };
      assert.deepEqual(await store.audit.verify('registry'), verdict);
      assert.deepEqual(verifyChain(records), verdict);
      const empty = { valid: true, length: 0, head: null };
      assert.deepEqual(await store.audit.verify('nothing'), empty);
    },
  },
  {
    title: 'keeps chains apart',
    async run({ store: { audit } }) {
      await audit.append(entry('one', { chain: 'a' }));
      const other = await audit.append(entry('two', { chain: 'b' }));
      assert.equal(other.sequence, 1);
      assert.equal((await audit.read(owner, 'a')).length, 1);
    },
  },
  {
    title: 'shows entries to their owner only, and chains them all',
    async run({ store: { audit } }) {
      await audit.append(entry('mine'));
      for (const stranger of [
        { tenantId: 'tenant-1', userId: 'user-2' },
        { tenantId: 'tenant-2', userId: 'user-1' },
      ]) {
        await audit.append(entry('theirs', stranger));
        assert.deepEqual(
          (await audit.read(stranger, 'registry')).map(({ action }) => action),
          ['theirs'],
        );
      }
      assert.equal((await audit.read(owner, 'registry')).length, 1);
      const verdict = await audit.verify('registry');
      assert.ok(verdict.valid && verdict.length === 3);
    },
  },
  {
    title: 'chains 50 entries that come at once without a gap',
    async run(context) {
      const other = await context.reopen();
      await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).audit.append(entry(`action-${index}`)),
      );
      const verdict = await context.store.audit.verify('registry');
      assert.ok(verdict.valid && verdict.length === 50);
    },
  },
  {
    title: 'goes on with a chain after a restart',
    async run(context) {
      await written(context.store, 1);
      const { audit } = await context.reopen();
      assert.equal((await audit.append(entry('after'))).sequence, 2);
      assert.equal((await audit.verify('registry')).valid, true);
    },
  },
];

/** The driver with the tampering made a member of the store, which is what the cases work with. */
export function withTampering<S extends AuditLogSubject>(
  driver: AuditLogDriver<S>,
): SuiteDriver<TamperedSubject> {
  const stores = new WeakMap<TamperedSubject, S>();
  const wrap = (store: S): TamperedSubject => {
    const subject: TamperedSubject = {
      audit: store.audit,
      tamper: (chain, edit) => driver.tamper(store, chain, edit),
    };
    stores.set(subject, store);
    return subject;
  };
  const original = (subject: TamperedSubject): S => {
    const store = stores.get(subject);
    if (store === undefined) throw new Error('The suite closed a store that it did not open.');
    return store;
  };
  return {
    ...(driver.gaps !== undefined && { gaps: driver.gaps }),
    open: async () => wrap(await driver.open()),
    reopen: async (subject) => wrap(await driver.reopen(original(subject))),
    passTime: (ms) => driver.passTime(ms),
    close: (subject) => driver.close(original(subject)),
  };
}

/**
 * Registers the conformance tests of an {@link AuditLog} with vitest. Call and await it at the top of a test file of your
 * implementation; its `tamper` is the part of somebody who has got at the storage.
 *
 * @example
 * ```ts
 * import type { AuditLog, AuditRecord } from '@steward/core';
 * import { testAuditLog } from '@steward/core/testing';
 *
 * export async function testMine(
 *   open: () => Promise<{ audit: AuditLog; rows: Map<string, readonly AuditRecord[]> }>,
 * ): Promise<void> {
 *   await testAuditLog('MyAuditLog', {
 *     open,
 *     reopen: async (store) => ({ ...store }),
 *     passTime: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
 *     close: async () => {},
 *     tamper: async ({ rows }, chain, edit) => {
 *       rows.set(chain, edit(rows.get(chain) ?? []));
 *     },
 *   });
 * }
 * ```
 */
export async function testAuditLog<S extends AuditLogSubject>(
  name: string,
  driver: AuditLogDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is an AuditLog`, auditLogCases, withTampering(driver));
}

import assert from 'node:assert/strict';
import type { ToolServerRecord, ToolServerStore } from '../../stores/tool-server-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type ToolServerStoreSubject = { readonly toolServers: ToolServerStore };

function record(changes: Partial<ToolServerRecord> = {}): ToolServerRecord {
  return {
    tenantId: 'tenant-1',
    name: 'crm',
    config: { url: 'https://crm.example/mcp', effects: { search: 'read' } },
    pinned: { search: 'hash-1' },
    version: 0,
    ...changes,
  };
}

/** Everything that a ToolServerStore promises. */
export const toolServerStoreCases: readonly SuiteCase<ToolServerStoreSubject>[] = [
  {
    title: 'creates a server and raises its version with every change',
    async run({ store: { toolServers } }) {
      assert.equal(await toolServers.get('tenant-1', 'crm'), null);
      assert.equal(await toolServers.put(record()), true);
      assert.deepEqual(await toolServers.get('tenant-1', 'crm'), record({ version: 1 }));
      const pinned = { search: 'hash-2', add: 'hash-3' };
      assert.equal(await toolServers.put(record({ pinned, version: 1 })), true);
      assert.deepEqual(await toolServers.get('tenant-1', 'crm'), record({ pinned, version: 2 }));
    },
  },
  {
    title: 'refuses to create what is there and to replace what has changed or is not there',
    async run({ store: { toolServers } }) {
      assert.equal(await toolServers.put(record({ version: 1 })), false);
      await toolServers.put(record());
      assert.equal(await toolServers.put(record({ pinned: {} })), false);
      assert.equal(await toolServers.put(record({ pinned: {}, version: 2 })), false);
      assert.deepEqual(await toolServers.get('tenant-1', 'crm'), record({ version: 1 }));
    },
  },
  {
    title: 'lets one of 50 changes of the same version at once succeed',
    async run(context) {
      await context.store.toolServers.put(record());
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).toolServers.put(
          record({ pinned: { search: `hash-${index}` }, version: 1 }),
        ),
      );
      assert.equal(outcomes.filter(Boolean).length, 1);
      const kept = await context.store.toolServers.get('tenant-1', 'crm');
      assert.equal(kept?.pinned['search'], `hash-${outcomes.indexOf(true)}`);
    },
  },
  {
    title: 'lists the servers of a tenant by name',
    async run({ store: { toolServers } }) {
      for (const name of ['mail', 'crm', 'files']) await toolServers.put(record({ name }));
      await toolServers.put(record({ tenantId: 'tenant-2', name: 'other' }));
      const listed = await toolServers.list('tenant-1');
      assert.deepEqual(
        listed.map(({ name }) => name),
        ['crm', 'files', 'mail'],
      );
      assert.deepEqual(await toolServers.list('tenant-3'), []);
    },
  },
  {
    title: 'keeps tenants apart',
    async run({ store: { toolServers } }) {
      await toolServers.put(record());
      assert.equal(await toolServers.get('tenant-2', 'crm'), null);
      assert.equal(await toolServers.put(record({ tenantId: 'tenant-2' })), true);
      await toolServers.delete('tenant-2', 'crm');
      assert.deepEqual(await toolServers.get('tenant-1', 'crm'), record({ version: 1 }));
    },
  },
  {
    title: 'deletes a server, twice without an error, and lets it be created again',
    async run({ store: { toolServers } }) {
      await toolServers.put(record());
      await toolServers.delete('tenant-1', 'crm');
      await toolServers.delete('tenant-1', 'crm');
      assert.equal(await toolServers.get('tenant-1', 'crm'), null);
      assert.equal(await toolServers.put(record()), true);
    },
  },
  {
    title: 'keeps servers over a restart',
    async run(context) {
      await context.store.toolServers.put(record());
      const { toolServers } = await context.reopen();
      assert.deepEqual(await toolServers.get('tenant-1', 'crm'), record({ version: 1 }));
    },
  },
];

/**
 * Registers the conformance tests of a {@link ToolServerStore} with vitest. Call and await it at the top of a test file
 * of your implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testToolServerStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testToolServerStore('inProcessStores().toolServers', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testToolServerStore<S extends ToolServerStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a ToolServerStore`, toolServerStoreCases, driver);
}

import assert from 'node:assert/strict';
import type { CredentialStore } from '../../stores/credential-store.ts';
import type { Owner } from '../../stores/run-store.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type CredentialStoreSubject = { readonly credentials: CredentialStore };

const ann: Owner = { tenantId: 'tenant-1', userId: 'ann' };
const tokens = { access_token: 'a', nested: { expires: 3, scopes: ['x'] } };

/** Everything that a CredentialStore promises. */
const credentialStoreCases: readonly SuiteCase<CredentialStoreSubject>[] = [
  {
    title: 'keeps a secret under its name, and replaces it',
    async run({ store: { credentials } }) {
      assert.equal(await credentials.get(ann, 'mcp/crm/tokens'), null);
      await credentials.put(ann, 'mcp/crm/tokens', tokens);
      assert.deepEqual(await credentials.get(ann, 'mcp/crm/tokens'), tokens);
      await credentials.put(ann, 'mcp/crm/tokens', { access_token: 'b' });
      assert.deepEqual(await credentials.get(ann, 'mcp/crm/tokens'), { access_token: 'b' });
    },
  },
  {
    title: 'keeps owners and names apart, also the owner without a name',
    async run({ store: { credentials } }) {
      await credentials.put(ann, 'one', tokens);
      const others: readonly [Owner, string][] = [
        [{ ...ann, userId: 'bob' }, 'one'],
        [{ ...ann, tenantId: 'tenant-2' }, 'one'],
        [{ tenantId: '', userId: '' }, 'one'],
        [ann, 'two'],
      ];
      for (const [owner, name] of others) assert.equal(await credentials.get(owner, name), null);
      await credentials.put({ tenantId: '', userId: '' }, 'one', { mine: true });
      assert.deepEqual(await credentials.get({ tenantId: '', userId: '' }, 'one'), { mine: true });
      assert.deepEqual(await credentials.get(ann, 'one'), tokens);
    },
  },
  {
    title: 'deletes a secret, twice without an error',
    async run({ store: { credentials } }) {
      await credentials.put(ann, 'one', tokens);
      await credentials.delete(ann, 'one');
      await credentials.delete(ann, 'one');
      assert.equal(await credentials.get(ann, 'one'), null);
    },
  },
  {
    title: 'is not changed by who gave or got a secret',
    async run({ store: { credentials } }) {
      const given = structuredClone(tokens);
      await credentials.put(ann, 'one', given);
      given.nested.scopes.push('y');
      assert.deepEqual(await credentials.get(ann, 'one'), tokens);
    },
  },
  {
    title: 'keeps secrets over a restart',
    async run(context) {
      await context.store.credentials.put(ann, 'one', tokens);
      const { credentials } = await context.reopen();
      assert.deepEqual(await credentials.get(ann, 'one'), tokens);
    },
  },
];

/**
 * Registers the conformance tests of a {@link CredentialStore} with vitest. Call and await it at the top of a test file of
 * your implementation.
 *
 * @example
 * ```ts
 * import type { CredentialStore, JsonObject } from '@steward/core';
 * import { testCredentialStore } from '@steward/core/testing';
 *
 * const kept = new Map<string, string>();
 * const credentials: CredentialStore = {
 *   get: async (owner, name) => {
 *     const secret = kept.get(JSON.stringify([owner.tenantId, owner.userId, name]));
 *     return secret === undefined ? null : (JSON.parse(secret) as JsonObject);
 *   },
 *   put: async (owner, name, secret) => {
 *     kept.set(JSON.stringify([owner.tenantId, owner.userId, name]), JSON.stringify(secret));
 *   },
 *   delete: async (owner, name) => {
 *     kept.delete(JSON.stringify([owner.tenantId, owner.userId, name]));
 *   },
 * };
 * await testCredentialStore('mine', {
 *   open: async () => {
 *     kept.clear();
 *     return { credentials };
 *   },
 *   reopen: async (store) => store,
 *   passTime: async () => {},
 *   close: async () => {},
 * });
 * ```
 */
export async function testCredentialStore<S extends CredentialStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a CredentialStore`, credentialStoreCases, driver);
}

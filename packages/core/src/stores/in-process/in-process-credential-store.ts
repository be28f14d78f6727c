import { LRUCache } from 'lru-cache';
import type { JsonObject } from '../../internal/json.ts';
import type { CredentialStore } from '../credential-store.ts';
import type { Owner } from '../run-store.ts';
import { frozenCopy } from './frozen-copy.ts';

/** Users of whom it remembers something; who was not seen for longest has to sign in again. */
const MAX_ENTRIES = 100_000;

/** A CredentialStore of this process: users sign in again after a restart. */
export function inProcessCredentialStore(): CredentialStore {
  const secrets = new LRUCache<string, JsonObject>({ max: MAX_ENTRIES });
  const keyOf = ({ tenantId, userId }: Owner, name: string) =>
    JSON.stringify([tenantId, userId, name]);
  return {
    get: async (owner, name) => secrets.get(keyOf(owner, name)) ?? null,
    put: async (owner, name, secret) => {
      secrets.set(keyOf(owner, name), frozenCopy(secret));
    },
    delete: async (owner, name) => {
      secrets.delete(keyOf(owner, name));
    },
  };
}

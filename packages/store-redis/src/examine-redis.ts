import { StewardError } from '@steward/core';
import { checkAddress, type RedisAddress } from './connection/address.ts';
import type { RedisFinding } from './connection/examination.ts';
import { closeClient, connectAndExamine } from './connection/open-client.ts';
import { checkPrefix, makeClient, promptOptions } from './connection/redis-client.ts';

const where = 'examineRedis';

/**
 * Looks at everything that this package relies on: address, version, role, Sentinel or Cluster, eviction, persistence,
 * rights. For health checks and set-up scripts; `steward-postgres doctor --redis URL` prints it.
 *
 * @throws TypeError naming the option that is not acceptable; whatever else is wrong is a finding.
 * @example
 * ```ts
 * import { examineRedis } from '@steward/store-redis';
 *
 * const findings = await examineRedis({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' });
 * for (const { check, state, says } of findings) console.log(check, state, says);
 * ```
 */
export async function examineRedis(
  options: RedisAddress & { readonly prefix?: string | undefined },
): Promise<readonly RedisFinding[]> {
  checkAddress(options, where);
  const { prefix = 'steward' } = options;
  checkPrefix(prefix, where);
  const client = makeClient(options, promptOptions);
  try {
    return await connectAndExamine(client, { where, prefix });
  } catch (reason) {
    const { detail } = StewardError.from(reason, 'store_unavailable');
    return [{ check: 'connection', state: 'failed', says: detail }];
  } finally {
    closeClient(client);
  }
}

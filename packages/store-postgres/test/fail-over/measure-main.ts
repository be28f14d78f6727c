/**
 * How long it takes until runs go on after something was lost: real processes, Postgres and Redis. By hand:
 * `node --conditions=@steward/source packages/store-postgres/test/fail-over/measure-main.ts --what kill --lease default`.
 */
import { parseArgs } from 'node:util';
import { defaultLease, fastLease } from '@steward/core';
import { startRedis } from '../../../../scripts/lib/redis-service.mjs';
import { startPostgres } from '../../../../scripts/lib/services.mjs';
import { Measurement } from './measurement.ts';

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'kill' },
    lease: { type: 'string', default: 'default' },
    replicas: { type: 'string', default: '4' },
    runs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const [postgres, redis] = await Promise.all([startPostgres(), startRedis('--appendonly', 'yes')]);
if (!postgres || !redis) throw new Error('PostgreSQL and Redis are needed');
const measurement = new Measurement({
  postgres,
  redis,
  lease: values.lease === 'fast' ? fastLease : defaultLease,
  replicas: Number(values.replicas),
  runs: Number(values.runs),
  rounds: Number(values.rounds),
  seed: Number(values.seed),
});
try {
  const figures = await measurement.of(values.what);
  process.stdout.write(`${JSON.stringify({ ...values, ...figures }, null, 2)}\n`);
} finally {
  await measurement.close();
  await Promise.all([postgres.stop(), redis.stop()]);
}

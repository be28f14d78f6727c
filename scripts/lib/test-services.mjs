// Vitest's global set-up of the project `services`: the servers that store tests run on.
import process from 'node:process';
import { startCluster, startWatched } from './redis-groups.mjs';
import { startRedis } from './redis-service.mjs';
import { startPostgres } from './services.mjs';

/** @param {import('vitest/node').TestProject} project */
export default async function setUp(project) {
  const servers = await Promise.all([
    provide(project, 'postgresUrl', 'STEWARD_TEST_POSTGRES_URL', startPostgres),
    provide(project, 'redisUrl', 'STEWARD_TEST_REDIS_URL', startRedis),
    provide(project, 'redisSentinelUrl', 'STEWARD_TEST_REDIS_SENTINEL_URL', startWatched),
    provide(project, 'redisClusterUrl', 'STEWARD_TEST_REDIS_CLUSTER_URL', startCluster),
  ]);
  return async () => {
    await Promise.all(servers.map(async (server) => server?.stop()));
  };
}

/**
 * Tells the tests where a service is: as the environment says, or started here.
 * @template {{ url: string, stop: () => Promise<void> }} S
 * @param {import('vitest/node').TestProject} project
 * @param {'postgresUrl' | 'redisUrl' | 'redisSentinelUrl' | 'redisClusterUrl'} name
 * @param {string} variable
 * @param {() => Promise<S | undefined>} start
 */
async function provide(project, name, variable, start) {
  const given = process.env[variable];
  const server = given ? undefined : await start();
  const url = given ?? server?.url ?? null;
  if (url === null) missing(name.replace('Url', ''), variable);
  project.provide(name, url);
  return server;
}

/**
 * @param {string} service
 * @param {string} variable
 */
function missing(service, variable) {
  const line = `[services] No ${service} here, and ${variable} is not set: its tests are skipped.`;
  if (process.env['STEWARD_REQUIRE']) throw new Error(line);
  console.error(line);
}

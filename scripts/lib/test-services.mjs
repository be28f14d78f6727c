// Vitest's global set-up of the project `services`: the servers that store tests run on.
import process from 'node:process';
import { startPostgres } from './services.mjs';

/** @param {import('vitest/node').TestProject} project */
export default async function setUp(project) {
  const given = process.env['STEWARD_TEST_POSTGRES_URL'];
  const server = given ? undefined : await startPostgres();
  const url = given ?? server?.url ?? null;
  if (url === null) missing('PostgreSQL', 'STEWARD_TEST_POSTGRES_URL');
  project.provide('postgresUrl', url);
  return async () => {
    await server?.stop();
  };
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

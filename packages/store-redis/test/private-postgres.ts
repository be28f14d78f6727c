import { onTestFinished } from 'vitest';
import { startPostgres } from '../../../scripts/lib/services.mjs';

/** A server of one test, which may do with it what it likes. */
export async function privatePostgres() {
  const server = await startPostgres();
  if (server === undefined) throw new Error('no postgres');
  onTestFinished(() => server.stop());
  return server;
}

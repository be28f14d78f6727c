import { failOver } from '@steward/core/testing';
import { describe, expect, inject, it } from 'vitest';
import { databases } from '../drivers.ts';

const [server] = databases;
const postgresUrl = inject('postgresUrl');
const setUp = new URL('./set-up.ts', import.meta.url).href;

/** A fail-over in a schema of its own: whoever shares one takes over the runs of others. */
async function kill(person: 'approves' | 'cancels', deaths: readonly string[]) {
  if (server === undefined) throw new Error('no server');
  const stores = await server.open();
  const settings = { connectionString: postgresUrl, schema: stores.schema };
  const execArgv = ['--conditions=@steward/source', '--no-warnings'];
  try {
    return await failOver({ setUp, settings, deaths, person, execArgv });
  } finally {
    await server.close(stores);
  }
}

/** A few of the pairs that `crash-matrix-main.ts` goes through as a whole. */
describe.skipIf(postgresUrl === null)('a process that is killed, and the next one too', () => {
  it.concurrent.each([
    ['approves', ['after_decide', 'after_effect']],
    ['cancels', ['after_cancel', 'before_finish']],
  ] as const)('%s: at %j: the oracle finds nothing', async (person, deaths) => {
    const { broken, died } = await kill(person, deaths);
    expect(broken).toEqual([]);
    // An owner that loses its lease on a slow machine may pass the second point by.
    expect(deaths.slice(0, died.length)).toEqual(died);
    expect(died).toContain(deaths[0]);
  });
});

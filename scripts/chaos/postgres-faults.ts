// What can become of PostgreSQL and of the way to it.
import { setTimeout as wait } from 'node:timers/promises';
import type { NetworkFault } from '@steward/core/testing';
import { withSchema } from './database.ts';
import type { Fault, Faults } from './targets.ts';

/** What the network does for a while. */
function network(weight: number, fault: NetworkFault, [least, most]: [number, number]): Fault {
  return {
    weight,
    needs: 'postgres',
    strike: async ({ postgresProxy, random, note }) => {
      const ms = random.integer(least, most);
      note(`PostgreSQL: ${fault.kind} for ${ms} ms`);
      await postgresProxy.set(fault);
      await wait(ms);
      await postgresProxy.set({ kind: 'pass' });
    },
  };
}

export const postgresFaults: Faults = {
  'postgres crash': {
    weight: 4,
    needs: 'postgres',
    strike: async ({ postgres, random, note }) => {
      const ms = random.integer(0, 4_000);
      note(`PostgreSQL crashes and is back after ${ms} ms`);
      await postgres.crash();
      await wait(ms);
      await postgres.start();
    },
  },
  'postgres hang': network(3, { kind: 'hang' }, [500, 6_000]),
  'postgres half-open': network(3, { kind: 'half_open' }, [200, 3_000]),
  'postgres refused': network(2, { kind: 'refuse' }, [200, 6_000]),
  'postgres answers lost': {
    weight: 5,
    needs: 'postgres',
    strike: async ({ postgresProxy, random, note }) => {
      const times = random.integer(1, 6);
      note(`PostgreSQL: ${times} answers are lost`);
      await postgresProxy.set({ kind: 'lose_answers', times });
      await wait(500);
      await postgresProxy.set({ kind: 'pass' });
    },
  },
  'postgres backends terminated': {
    weight: 5,
    needs: 'postgres',
    strike: async ({ postgres, random, note }) => {
      const times = random.integer(1, 4);
      note(`all backends are terminated, ${times} times`);
      for (let n = 0; n < times; n++) {
        await withSchema(postgres.url, (client) =>
          client.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'steward'`,
          ),
        );
        await wait(random.integer(0, 500));
      }
    },
  },
  // Every statement of every replica waits: all connections of all pools are taken.
  'postgres pools exhausted': {
    weight: 4,
    needs: 'postgres',
    strike: async ({ postgres, random, note }) => {
      const seconds = random.integer(1, 7);
      note(`the table of runs is locked for ${seconds} s`);
      await withSchema(postgres.url, (client) =>
        client.query(
          `begin; lock table run in access exclusive mode; select pg_sleep(${seconds}); commit`,
        ),
      );
    },
  },
};

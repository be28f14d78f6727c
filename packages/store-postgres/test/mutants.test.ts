import { describe } from 'vitest';
import { withTampering } from '../../core/src/testing/suites/audit-log.ts';
import { runStoreCases } from '../../core/src/testing/suites/run-store.ts';
import { usageStoreCases } from '../../core/src/testing/suites/usage-store.ts';
import { describeMutants } from '../../core/test/stores/mutants/describe-mutants.ts';
import { userMutants } from '../../core/test/stores/mutants/host-mutants.ts';
import { catches } from '../../core/test/stores/mutants/mutant.ts';
import {
  artifactMutants,
  auditMutants,
  conversationMutants,
  toolServerMutants,
  usageMutants,
} from '../../core/test/stores/mutants/port-mutants.ts';
import { databases, type TestDatabase, type TestStores } from './drivers.ts';
import { tamper } from './tamper.ts';

/** A change to the text of one of our functions, as it is in the database. */
interface Mutation {
  readonly of: string;
  readonly from: string;
  readonly to: string;
  /** A second change, where it takes two. */
  readonly and?: { readonly from: string; readonly to: string };
  /** Needs two connections at once to do harm. */
  readonly concurrent?: boolean;
  readonly caughtBy: string | readonly string[];
}

const fencedVerbs = [
  'release',
  'append',
  'savePartial',
  'commitTurn',
  'startCall',
  'finishCall',
  'pause',
  'requestInput',
  'applySteers',
  'finish',
];

const later = 'perform pg_sleep(0.02);';

const mutations: Readonly<Record<string, Mutation>> = {
  'no fence': {
    of: 'owned_run',
    from: 'and epoch = p_epoch',
    to: '',
    caughtBy: fencedVerbs.map((verb) => `refuses ${verb} of an owner that was replaced`),
  },
  'a fence that lets ended runs be written to': {
    of: 'owned_run',
    from: "and status in ('running', 'cancelling')",
    to: '',
    caughtBy: fencedVerbs.map((verb) => `refuses ${verb} once the run has ended`),
  },
  'a fence without a lock': {
    of: 'owned_run',
    from: 'for no key update;',
    to: `; ${later}`,
    concurrent: true,
    caughtBy: 'ends a run once when 50 try at once',
  },
  'a start without a lock': {
    of: 'start_call',
    from: 'r run := owned_run(p_run_id, p_epoch);',
    to: 'r run := (select x from run x where run_id = p_run_id);',
    and: { from: 'if c.result is not null', to: `${later} if c.result is not null` },
    concurrent: true,
    caughtBy: 'lets one of 50 starts of a write at once have the effect',
  },
  'a second start of a write': {
    of: 'start_call',
    from: 'c.starts > 0 and c.effect',
    to: 'false and c.effect',
    caughtBy: 'refuses a second start of a write after a crash: it is unknown, for good',
  },
  'a start without confirmation': {
    of: 'start_refusal',
    from: "when c.confirmation is distinct from 'approved' then 'confirmation_required'",
    to: '',
    caughtBy:
      'refuses a call that nobody was asked about, or that is not decided, and writes no event',
  },
  'an approval that lasts for ever': {
    of: 'start_refusal',
    from: "when c.expires_at <= now_ms() then 'confirmation_expired'",
    to: '',
    caughtBy: 'refuses an approval that was not used in time',
  },
  'an approval for other arguments': {
    of: 'start_refusal',
    from: "when c.args_digest <> p_args_digest then 'args_mismatch'",
    to: '',
    caughtBy: 'refuses changed arguments and keeps the approval for the right ones',
  },
  'a lost append': {
    of: 'append_events',
    from: 'perform add_events(r, p_events);',
    to: '',
    caughtBy: 'numbers durable events from 1 without a gap, whichever verb appends them',
  },
  'a claim of a live lease': {
    of: 'claim_run',
    from: 'and lease_until <= t',
    to: '',
    caughtBy: 'lets nobody claim a run under a live lease',
  },
  'a claim behind another run': {
    of: 'claim_run',
    from: 'and (is_head or cancel_requested)',
    to: '',
    caughtBy: 'queues runs of a busy conversation in order, as many as may wait',
  },
  'a decision that is changed': {
    of: 'decide_call',
    from: "when c.confirmation <> 'pending' then 'already_decided'",
    to: '',
    caughtBy: ['does not change a decision', 'decides once when two tabs press at the same moment'],
  },
  'a next run that nobody wakes': {
    of: 'finish_run',
    from: 'return promote_next(r);',
    to: "return '[]';",
    caughtBy: 'queues runs of a busy conversation in order, as many as may wait',
  },
  'a window of the conversation without an end': {
    of: 'history_of',
    from: 'messages_so_far <= p_messages',
    to: 'true',
    caughtBy: 'tells the newest messages, as many as are asked for',
  },
  'a window of any size': {
    of: 'history_of',
    from: 'bytes_so_far <= p_bytes',
    to: 'true',
    caughtBy: 'ends what it tells before the first message that is too large, in bytes of its JSON',
  },
  'a question that is told twice': {
    of: 'history_of',
    from: 'and run_id <> r.run_id',
    to: '',
    caughtBy: 'tells a queued run the answer ahead of it, and the next owner the same',
  },
  'runs shown to strangers': {
    of: 'load_run',
    from: 'r.tenant_id = p_tenant and r.user_id = p_user',
    to: 'true',
    caughtBy: 'shows runs to their owner only, and lets nobody else act on them',
  },
  'usage counted twice': {
    of: 'commit_turn',
    from: 'if not found then return; end if;',
    to: '',
    caughtBy: 'commits a turn once and plans its calls',
  },
  'a sweep that finds nothing': {
    of: 'sweep_runs',
    from: 'wakes := wakes || wake(r.run_id, r.segment + 1);',
    to: '',
    caughtBy: 'sweeps up runs whose lease ran out, and no others',
  },
};

const reservation: Mutation = {
  of: 'reserve_usage',
  from: 'perform pg_advisory_xact_lock(owner_key(p_tenant, p_user));',
  to: '',
  and: { from: 'if wait is not null', to: `${later} if wait is not null` },
  concurrent: true,
  caughtBy: 'grants exactly what the limit holds when 50 reserve at once',
};

/** The database with one of its functions changed, until the stores are closed. */
function mutated(database: TestDatabase, mutation: Mutation): TestDatabase {
  const { of } = mutation;
  const edits = mutation.and ? [mutation, mutation.and] : [mutation];
  const sound = new WeakMap<TestStores, string>();
  return {
    ...database,
    open: async () => {
      const stores = await database.open();
      const [row] = await stores.sql('select pg_get_functiondef($1::regproc) as text', [
        `${stores.schema}.${of}`,
      ]);
      const text = String(row?.['text']);
      sound.set(stores, text);
      let changed = text;
      for (const { from, to } of edits) {
        if (!text.includes(from)) throw new TypeError(`${of} has no "${from}"`);
        changed = changed.replace(from, to);
      }
      await stores.sql(changed);
      return stores;
    },
    close: async (stores) => {
      const text = sound.get(stores);
      if (text !== undefined) await stores.sql(text);
      await database.close(stores);
    },
  };
}

for (const database of databases) {
  describe(`the suites on ${database.name}`, () => {
    for (const [what, mutation] of Object.entries(mutations)) {
      if (mutation.concurrent && database.name !== 'PostgreSQL') continue;
      const driver = mutated(database, mutation);
      for (const caughtBy of [mutation.caughtBy].flat()) {
        catches(runStoreCases, what, { driver, caughtBy });
      }
    }
    if (database.name === 'PostgreSQL') {
      const driver = mutated(database, reservation);
      const { caughtBy } = reservation;
      catches(usageStoreCases, 'a reservation without a lock', {
        driver,
        caughtBy: String(caughtBy),
      });
    }
  });
}

const artifactBytes = 3 * 1024 * 1024;

for (const database of databases) {
  const { name } = database;
  describeMutants(name, conversationMutants, database);
  describeMutants(name, usageMutants, database);
  describeMutants(name, toolServerMutants, database);
  describeMutants(name, userMutants, database);
  describeMutants(name, artifactMutants(artifactBytes), {
    ...database,
    open: () => database.open({ artifactBytes }),
  });
  describeMutants(name, auditMutants, withTampering({ ...database, tamper }));
}

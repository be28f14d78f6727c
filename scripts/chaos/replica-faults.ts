// What can become of a replica: killed (anywhere, or inside of a phase), frozen, asked to leave, its clock set.
import { setTimeout as wait } from 'node:timers/promises';
import type { Replica } from './fleet.ts';
import { type Phase, phases } from './phases.ts';
import type { Fault, Faults, Strike } from './targets.ts';

/** How long a replica may go without the phase that it is to die in. */
const phaseWithinMs = 3_000;

async function kill(strike: Strike, replica: Replica, withinMs: number): Promise<void> {
  const words = await strike.fleet.bury(replica, withinMs);
  if (words) strike.onKill(replica, words);
}

function killIn(phase: Phase): Fault {
  return {
    weight: 8,
    needs: 'replica',
    strike: async (strike) => {
      const { fleet, random, note } = strike;
      const replica = await fleet.pick(random, 'leaving');
      const isShort = phase === 'gate' || phase === 'commit';
      const afterMs = isShort ? random.pick([0, 0, 1, 2]) : random.integer(0, 40);
      note(`${replica.name} dies ${afterMs} ms into ${phase}`);
      replica.child.send({ kind: 'die', phase, afterMs });
      await kill(strike, replica, phaseWithinMs);
    },
  };
}

export const replicaFaults: Faults = {
  ...Object.fromEntries(phases.map((phase) => [`kill in ${phase}`, killIn(phase)])),
  'kill at any moment': {
    weight: 8,
    needs: 'replica',
    strike: async (strike) => {
      const replica = await strike.fleet.pick(strike.random, 'leaving');
      strike.note(`${replica.name} is killed`);
      await kill(strike, replica, 0);
    },
  },
  freeze: {
    weight: 8,
    needs: 'replica',
    strike: async ({ fleet, random, note }) => {
      const replica = await fleet.pick(random, 'frozen');
      const ms = random.integer(500, 9_000);
      note(`${replica.name} is frozen for ${ms} ms`);
      replica.child.signal('SIGSTOP');
      await wait(ms);
      replica.child.signal('SIGCONT');
      if (replica.state === 'frozen') replica.state = 'up';
    },
  },
  'rolling restart': {
    weight: 2,
    needs: 'replica',
    strike: async ({ fleet, note }) => {
      for (const replica of fleet.up) {
        if (replica.state !== 'up') continue;
        replica.state = 'leaving';
        note(`${replica.name} is asked to leave`);
        replica.child.signal('SIGTERM');
        await fleet.checkLeaving(replica, true);
      }
    },
  },
  'clock set': {
    weight: 4,
    needs: 'replica',
    strike: async ({ fleet, clocks, random, note }) => {
      const replica = await fleet.pick(random, 'up');
      const offset = clocks.set(replica.name, random);
      note(`the clock of ${replica.name} is set to ${offset}`);
    },
  },
};

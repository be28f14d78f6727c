import type { Clock } from '../../internal/clock.ts';
import type { BreakerAdmission, BreakerStore } from '../breaker-store.ts';
import { AgingMap } from './aging-map.ts';

interface OpenBreaker {
  readonly coolsUntil: number;
  probedUntil: number;
}

/** Breakers that are open at the same time; beyond it the one that opened first is forgotten. */
const maxOpen = 10_000;

/** A BreakerStore of this process. */
export function inProcessBreakerStore(clock: Pick<Clock, 'now'>): BreakerStore {
  const breakers = new AgingMap<string, OpenBreaker>();

  function admit(name: string, probeMs: number): BreakerAdmission {
    const breaker = breakers.get(name);
    if (breaker === undefined) return { allowed: true, isProbe: false };
    const now = clock.now();
    const retryAfterMs = Math.max(breaker.coolsUntil, breaker.probedUntil) - now;
    if (retryAfterMs > 0) return { allowed: false, retryAfterMs };
    breaker.probedUntil = now + probeMs;
    return { allowed: true, isProbe: true };
  }

  return {
    admit: async (name, probeMs) => admit(name, probeMs),
    open: async (name, coolingMs) => {
      const coolsUntil = Math.max(clock.now() + coolingMs, breakers.get(name)?.coolsUntil ?? 0);
      breakers.delete(name);
      breakers.set(name, { coolsUntil, probedUntil: 0 });
      if (breakers.size > maxOpen) breakers.shift();
    },
    close: async (name) => {
      breakers.delete(name);
    },
  };
}

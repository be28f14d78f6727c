import type { Hint, Hints } from '../hints.ts';

/** Hints of this process. */
export function inProcessHints(): Hints {
  const listeners = new Set<(hint: Hint) => void>();
  return {
    tell: (hint) => {
      for (const listener of listeners) listener(hint);
    },
    listen: (listener) => {
      const own = (hint: Hint) => listener(hint);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}

/**
 * The moments of a run at which a process may die and recovery must still be right, in the order in which a run
 * passes them. Tests abandon a run at each (`crashPoints()` of `@steward/core/testing`).
 */
export const crashPointNames = [
  'after_create',
  'before_turn_commit',
  'after_turn_commit',
  'before_start_call',
  'after_start_call',
  'after_effect',
  'after_finish_call',
  'before_pause',
  'after_pause',
  'before_finish',
  'after_finish',
] as const;

/** One of {@link crashPointNames}. */
export type CrashPointName = (typeof crashPointNames)[number];

/** Called by the run loop at each crash point; a promise that never settles stops the run there. */
export type CrashPointHook = (name: CrashPointName) => void | Promise<void>;

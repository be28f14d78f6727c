/**
 * The moments of a run at which a process may die and recovery must still be right, in the order in which a run
 * passes them; then those of verbs that come from outside. Tests abandon a run at each (`crashPoints()` of
 * `@steward/core/testing`), or kill its process (`crashPointFromEnvironment()`).
 */
export const crashPointNames = [
  'after_create',
  'after_claim',
  'before_turn_commit',
  'after_turn_commit',
  'before_start_call',
  'after_start_call',
  'after_effect',
  'after_finish_call',
  'before_pause',
  'after_pause',
  'after_decide',
  'before_finish',
  'after_finish',
  'after_cancel',
  'after_release',
  'after_sweep',
] as const;

/** One of {@link crashPointNames}. */
export type CrashPointName = (typeof crashPointNames)[number];

/** Called by the run loop at each crash point; a promise that never settles stops the run there. */
export type CrashPointHook = (name: CrashPointName) => void | Promise<void>;

// What a run is to do: said to the model in the user's message, so that any replica goes on with the same plan.
import type { SeededRandom } from '@steward/core/testing';

/** `write` waits for a person, as `write_idempotent` does; `write_unasked` is a `write` that the host waives. */
export const toolNames = ['read', 'write_idempotent', 'write', 'write_unasked'] as const;
export type ToolName = (typeof toolNames)[number];

export interface Plan {
  readonly task: string;
  /** The tools of each turn before the last. */
  readonly turns: readonly (readonly ToolName[])[];
  /** Words of each turn. */
  readonly words: number;
}

export function planOf(task: string, random: SeededRandom): Plan {
  const turns = Array.from({ length: random.pick([0, 0, 1, 1, 1, 2, 3]) }, () =>
    Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => random.pick(toolNames)),
  );
  return { task, turns, words: random.integer(1, 25) };
}

const mark = 'Task ';

export function inputOf(plan: Plan): string {
  return `${mark}${JSON.stringify(plan)}`;
}

/** The plan that a message holds. */
export function planIn(content: unknown): Plan | undefined {
  if (typeof content !== 'string' || !content.startsWith(mark)) return undefined;
  return JSON.parse(content.slice(mark.length)) as Plan;
}

import type { Message } from '../../events/message.ts';
import type { ModelClient } from '../../model/model-client.ts';
import type { ModelEvent } from '../../model/model-events.ts';

/** What the model of a {@link Replica} does in a run; the input of the run says it, so that every replica knows. */
export interface ReplicaPlan {
  /** The tools that each turn before the last one calls, all with the arguments `{"n": <index>}`. */
  readonly calls?: readonly (readonly string[])[];
  /** Words of the answer; 3 by default. */
  readonly words?: number;
  /** Milliseconds before each word; 0 by default. */
  readonly wordMs?: number;
}

/** The input of a run that follows the plan. */
export function planned(plan: ReplicaPlan): string {
  return JSON.stringify(plan);
}

/** The same turns in every process: what it says depends on the messages alone. */
export const planModel: ModelClient = {
  async *stream({ messages }, { signal }): AsyncGenerator<ModelEvent, void, void> {
    yield { type: 'start', requestId: null };
    const at = messages.findLastIndex(({ role }) => role === 'user');
    const plan = planIn(messages[at]);
    const turn = messages.slice(at).filter(({ role }) => role === 'assistant').length;
    const names = plan.calls?.[turn];
    if (names === undefined) yield* spoken(plan, signal);
    else yield* called(turn, names);
    if (signal.aborted) return;
    const reason = names === undefined ? 'stop' : 'tool_calls';
    yield { type: 'finish', reason, responseId: null, model: null, usage: null, verbatim: null };
  },
};

function planIn(question: Message | undefined): ReplicaPlan {
  return typeof question?.content === 'string' ? (JSON.parse(question.content) as ReplicaPlan) : {};
}

async function* spoken(
  { words = 3, wordMs = 0 }: ReplicaPlan,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, void, void> {
  for (let index = 0; index < words && !signal.aborted; index++) {
    if (wordMs > 0) await passed(wordMs, signal);
    yield { type: 'text', text: `word${index} ` };
  }
}

function* called(turn: number, names: readonly string[]): Generator<ModelEvent, void, void> {
  for (const [index, name] of names.entries()) {
    const argumentsText = JSON.stringify({ n: index });
    yield { type: 'tool_call', id: `call_${turn}_${index}`, name, argumentsText, custom: false };
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

import type { ConversationMessage } from '../events/conversation-message.ts';
import type { Message, ToolMessage } from '../events/message.ts';
import type { CallRecord, CommittedTurn, SteerRecord } from '../stores/run-store.ts';

/** What a run has said and heard so far. */
export interface RunSoFar {
  readonly turns: readonly CommittedTurn[];
  readonly calls: readonly CallRecord[];
  readonly steers: readonly SteerRecord[];
}

/** The conversation before a run, as a model takes it: each answer with the turns that led to it. */
export function historyMessages(history: readonly ConversationMessage[]): Message[] {
  return history.flatMap((message): Message[] => {
    if (message.role === 'user') return [{ role: 'user', content: message.content }];
    if (message.turns) return [...message.turns];
    return [{ role: 'assistant', content: textOf(message.content) }];
  });
}

/**
 * The turns of a run with the answers to their calls and what was steered before them, in order. A call without a
 * result is answered as not run, because model APIs refuse a call that nobody answered.
 */
export function turnMessages(run: RunSoFar): Message[] {
  const messages: Message[] = [];
  for (const turn of run.turns) {
    messages.push(...steersOf(run, turn.turn), turn.message);
    for (const call of run.calls) {
      if (call.turn === turn.turn) messages.push(answerTo(call, turn));
    }
  }
  messages.push(...steersOf(run, run.turns.length + 1));
  return messages;
}

function answerTo(call: CallRecord, turn: CommittedTurn): ToolMessage {
  const asked = turn.message.toolCalls?.[call.index];
  return {
    role: 'tool',
    toolCallId: call.modelCallId,
    name: asked?.name ?? call.tool,
    content: call.result?.content ?? 'Not run: the run ended before.',
    ...(asked?.custom && { custom: true }),
  };
}

function steersOf(run: RunSoFar, turn: number): Message[] {
  return run.steers
    .filter((steer) => steer.turn === turn)
    .map((steer) => ({ role: 'user', content: steer.text }));
}

function textOf(content: ConversationMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

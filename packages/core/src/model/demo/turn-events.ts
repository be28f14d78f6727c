import { derivedId } from '../../internal/ids.ts';
import type { ModelRequest } from '../model-client.ts';
import type { ModelEvent } from '../model-events.ts';
import { planTurn } from './plan-turn.ts';

/** What the demo model sends in one turn: its words one by one, then its calls, then the end with the usage. */
export function turnEvents(request: ModelRequest): ModelEvent[] {
  const { text, toolCalls } = planTurn(request);
  const words = text.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
  const calls = toolCalls.map(({ name, args }, index) => ({
    type: 'tool_call' as const,
    // By its place in the conversation: the same request gets the same ids, and no two calls share one.
    id: derivedId('call', request.messages.length, index),
    name,
    argumentsText: JSON.stringify(args),
    custom: false,
  }));
  const said = text.length + calls.reduce((sum, call) => sum + call.argumentsText.length, 0);
  return [
    ...words.map((word) => ({ type: 'text' as const, text: word })),
    ...calls,
    {
      type: 'finish',
      reason: calls.length > 0 ? 'tool_calls' : 'stop',
      responseId: null,
      model: 'demo',
      usage: usageOf(request, said),
      verbatim: null,
    },
  ];
}

/** About four characters make a token. */
function usageOf(request: ModelRequest, said: number) {
  const { instructions = '', messages, tools } = request;
  const inputTokens = Math.ceil(
    (instructions.length + JSON.stringify([messages, tools]).length) / 4,
  );
  const outputTokens = Math.ceil(said / 4);
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedTokens: 0,
    reasoningTokens: 0,
  };
}

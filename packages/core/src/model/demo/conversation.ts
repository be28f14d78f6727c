import type { Message } from '../../events/message.ts';
import { isRecord, type Json } from '../../internal/json.ts';

/** A tool call that was made, and its answer. */
export interface AnsweredCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, Json>>;
  readonly content: string;
}

/** The newest exchange of a conversation. */
export interface Exchange {
  /** What the user said last. */
  readonly text: string;
  /** The calls since then. */
  readonly calls: readonly AnsweredCall[];
  /** What was before, the newest last; `undefined` at the start of the conversation. */
  readonly before: Earlier | undefined;
}

/** An earlier exchange. */
export interface Earlier extends Exchange {
  /** What the assistant answered in the end. */
  readonly answer: string;
}

/** Characters of a message that the rules look at. */
const longestText = 4_000;

/** Reads messages from the end: the user's last words and what came of them, and the exchange before. */
export function readExchange(messages: readonly Message[]): Exchange {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  const user = messages[at];
  const since = messages.slice(at + 1);
  const text = user?.role === 'user' ? plainText(user.content).slice(0, longestText) : '';
  return {
    text,
    calls: callsIn(since),
    before: at > 0 ? earlier(messages.slice(0, at)) : undefined,
  };
}

function earlier(messages: readonly Message[]): Earlier | undefined {
  if (!messages.some(({ role }) => role === 'user')) return undefined;
  const exchange = readExchange(messages);
  const answer = messages.findLast(({ role }) => role === 'assistant')?.content;
  return { ...exchange, answer: typeof answer === 'string' ? answer : '' };
}

function callsIn(messages: readonly Message[]): AnsweredCall[] {
  const answers = new Map(
    messages.flatMap((message) =>
      message.role === 'tool' ? [[message.toolCallId, message.content]] : [],
    ),
  );
  return messages
    .flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []))
    .map(({ id, name, argumentsText }) => ({
      tool: name,
      args: parsed(argumentsText),
      content: answers.get(id) ?? '',
    }));
}

function parsed(text: string): Readonly<Record<string, Json>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? (value as Record<string, Json>) : {};
  } catch {
    return {};
  }
}

function plainText(content: Extract<Message, { role: 'user' }>['content']): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join(' ')
    .trim();
}

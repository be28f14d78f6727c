import { isRecord } from '../internal/json.ts';
import type { ModelRequest } from '../model/model-client.ts';
import type { ScriptedTurn } from './scripted-turn.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.every((piece) => typeof piece === 'string'));
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0;

const fields: Record<keyof ScriptedTurn, { readonly check: Check; readonly wants: string }> = {
  reasoning: { check: isText, wants: 'a string or an array of strings' },
  text: { check: isText, wants: 'a string or an array of strings' },
  refusal: { check: isText, wants: 'a string or an array of strings' },
  toolCalls: { check: Array.isArray, wants: 'an array of { name, args }' },
  finishReason: {
    check: (value) => value === null || typeof value === 'string',
    wants: 'a reason',
  },
  usage: { check: (value) => value === null || isRecord(value), wants: 'token counts or null' },
  error: {
    check: (value) => typeof value === 'string' || isRecord(value),
    wants: 'a message or { status, code, message }',
  },
  stallAfter: { check: isCount, wants: 'a number of pieces from 0' },
  cutAfter: { check: isCount, wants: 'a number of pieces from 0' },
  unofferedTools: { check: (value) => typeof value === 'boolean', wants: 'true or false' },
};

/** Throws a `TypeError` naming the field if `turn` is not a turn; `at` says where it stands. */
export function requireTurn(turn: unknown, at: string): asserts turn is ScriptedTurn {
  if (!isRecord(turn)) throw new TypeError(`${at} must be a turn such as { text: 'Hello' }`);
  for (const [name, value] of Object.entries(turn)) {
    const field = Object.hasOwn(fields, name) ? fields[name as keyof ScriptedTurn] : undefined;
    if (!field) {
      throw new TypeError(
        `${at}.${name} is not a field of a turn; it has ${Object.keys(fields).join(', ')}`,
      );
    }
    if (value !== undefined && !field.check(value))
      throw new TypeError(`${at}.${name} must be ${field.wants}`);
  }
  const calls: readonly unknown[] = Array.isArray(turn['toolCalls']) ? turn['toolCalls'] : [];
  calls.forEach((call, index) => {
    if (isRecord(call) && typeof call['name'] === 'string') return;
    throw new TypeError(`${at}.toolCalls[${index}] must be { name, args }, with the tool's name`);
  });
}

/** What is wrong with the tools that a turn calls, if the request does not offer them. */
export function unofferedTool(turn: ScriptedTurn, request: ModelRequest): string | undefined {
  const offered = request.tools.map((tool) => tool.name);
  const missing = turn.toolCalls?.find((call) => !offered.includes(call.name));
  if (!missing) return undefined;
  const list = offered.length > 0 ? offered.join(', ') : 'no tools';
  return `calls ${JSON.stringify(missing.name)}, but the request offers ${list}. Set unofferedTools: true if that is the test.`;
}

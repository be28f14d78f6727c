import { expect } from 'vitest';
import { isRecord, type Json, type JsonObject } from '../../src/internal/json.ts';
import type { EpisodePlan } from './manifest.ts';
import {
  messageText,
  outputItems,
  type RecordedEpisode,
  type RecordedStep,
  type WireItem,
  type WireRequest,
  type WireTool,
} from './recorded-episode.ts';

/**
 * Checks that a request of ours asks what the recorded one asked: every parameter, message, tool and tool result, in
 * order. Only this does not count:
 * - the order of keys, which JSON does not have;
 * - `stream`, and `stream_options` where the recorded request did not stream: ours always does, and reads either answer;
 * - how nothing is written: `content` of an assistant that only calls (`null`, `''`, absent), an empty `description`
 *   (`null`, absent); and a message of one text part for its text, `type: 'message'` for its absence: the API takes both for one;
 * - `name` beside `tool_call_id`: the API knows no such field;
 * - what a plan names in `ignored`;
 * - the recording's own cuts: `<elided n chars>` stands for any n characters.
 *
 * What the provider said is held to more: it has to go back as the provider said it, even where the recorded framework
 * had changed it (`rewritten`) or left it out (`dropped`).
 */
export function expectSameRequest(
  ours: WireRequest,
  recorded: RecordedStep,
  { episode, plan }: { readonly episode: RecordedEpisode; readonly plan: EpisodePlan },
): void {
  const { input, ...rest } = recorded.request;
  const earlier = episode.steps.slice(0, episode.steps.indexOf(recorded));
  const theirs = input ? { ...rest, input: asSaid(input, earlier, plan) } : rest;
  const streamed = recorded.stream;
  expect(plain(ours, streamed, plan)).toEqual(plain(theirs, streamed, plan));
}

function plain(request: WireRequest, streamed: boolean, { ignored = [] }: EpisodePlan): JsonObject {
  const { messages, input, tools } = request;
  const told = tools?.map((tool) => plainTool(tool, ignored.includes('strict')));
  return {
    ...request,
    stream: undefined,
    stream_options: streamed ? request['stream_options'] : undefined,
    messages: messages?.map(plainMessage),
    input: input?.map(plainItem),
    tools: ignored.includes('order of tools') ? told?.toSorted(byName) : told,
  };
}

function plainMessage(message: WireItem): JsonObject {
  const calls = message['tool_calls'] !== undefined;
  const content = calls ? message.content || null : message.content;
  return { ...message, content, ...(message.role === 'tool' && { name: undefined }) };
}

function plainItem(item: WireItem): JsonObject {
  if (item.role === 'assistant' || (item.type ?? 'message') !== 'message') return item;
  const { type: _type, ...message } = item;
  const isOneText = Array.isArray(item.content) && item.content.length === 1;
  return { ...message, content: isOneText ? messageText(item) : item.content };
}

function plainTool(tool: WireTool, anyStrict: boolean): WireTool {
  if (tool.function) return { ...tool, function: plainTool(tool.function, anyStrict) };
  if (tool.parameters === undefined) return tool;
  const { strict, ...rest } = { ...tool, description: tool.description ?? '' };
  return anyStrict || strict === undefined ? rest : { ...rest, strict };
}

const byName = (a: WireTool, b: WireTool) => ((a.name ?? a.type) < (b.name ?? b.type) ? -1 : 1);

/** The recorded input with each answer of the provider in the provider's own words, once the differences are explained. */
function asSaid(
  input: readonly WireItem[],
  earlier: readonly RecordedStep[],
  plan: EpisodePlan,
): WireItem[] {
  const answers = earlier.map(outputItems);
  const said = new Set<WireItem>();
  const items = input.flatMap((item) => {
    const answer = answers.find((output) => output.some((whole) => isSame(item, whole)));
    const whole = answer?.find((candidate) => isSame(item, candidate));
    if (!answer || !whole) return [item];
    expectExplained(item, whole, plan);
    const isFirst = !answer.some((candidate) => said.has(candidate));
    said.add(whole);
    return isFirst ? answer : [];
  });
  const missing = answers.flat().filter((whole) => items.includes(whole) && !said.has(whole));
  for (const { type } of missing) expect(plan.dropped).toContain(type);
  return items;
}

/** Whether a recorded item is one that the provider said. */
function isSame(item: WireItem, whole: WireItem): boolean {
  if (item.type !== whole.type) return false;
  return ['id', 'call_id', 'encrypted_content'].some(
    (key) => item[key] && matches(item[key], whole[key]),
  );
}

function expectExplained(item: WireItem, whole: WireItem, { rewritten = {} }: EpisodePlan): void {
  const changed = Object.keys(item).filter((key) => !matches(item[key], whole[key]));
  const explained = rewritten[item.type ?? ''] ?? [];
  expect(changed.filter((key) => !explained.includes(key))).toEqual([]);
}

/** Equal, or cut by the recording and equal as far as it goes. */
function matches(recorded: Json | undefined, whole: Json | undefined): boolean {
  const cut = typeof recorded === 'string' ? /^(.*)<elided (\d+) chars>$/s.exec(recorded) : null;
  if (!cut || typeof whole !== 'string') return sorted(recorded) === sorted(whole);
  const [, start = '', left] = cut;
  return whole.startsWith(start) && whole.length === start.length + Number(left);
}

function sorted(value: Json | undefined): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isRecord(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

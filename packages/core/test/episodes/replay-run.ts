import { expect } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { Json } from '../../src/internal/json.ts';
import { openaiModel } from '../../src/model/openai-model.ts';
import type { PrepareTurn } from '../../src/run/run-settings.ts';
import type { CommittedTurn } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { expectedTurn } from '../model/expected-turn.ts';
import type { RunPlan } from './manifest.ts';
import {
  messageText,
  type RecordedEpisode,
  type RecordedStep,
  type WireRequest,
  type WireTool,
} from './recorded-episode.ts';
import type { ReplayServer } from './replay-server.ts';

/** Where a run of an episode takes place. */
export interface Stage {
  readonly episode: RecordedEpisode;
  readonly server: ReplayServer;
  readonly stores: Stores;
}

/** Plays one run of an episode and checks every turn and the outcome. Returns the text of its answer. */
export async function replayRun(
  plan: RunPlan,
  stage: Stage,
  conversationId: string,
): Promise<string> {
  const steps = plan.steps.map((number) => stage.episode.steps[number - 1] as RecordedStep);
  const [first, last] = [steps[0] as RecordedStep, steps.at(-1) as RecordedStep];
  await using assistant = new Assistant({
    model: modelOf(first, stage.server),
    tools: toolsOf(plan, steps, stage),
    prepareTurn: turnsOf(plan, steps),
    stores: stage.stores,
    limits: { modelRetries: 0, ...(plan.firstCallOnly && { maxCallsPerTurn: 1 }) },
  });
  const run = assistant.run(userMessage(first), { conversationId, maxTurns: steps.length });
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.result();

  const { turns = [] } = (await stage.stores.runs.load(run.id, null)) ?? {};
  expect(turns).toHaveLength(steps.length);
  for (const [index, turn] of turns.entries()) {
    const { oracle, ...recorded } = steps[index] as RecordedStep;
    expect(collected(turn, events)).toMatchObject(expectedTurn(recorded, oracle));
  }
  const called = calledIn(last).length > 0;
  expect(result).toMatchObject({
    status: 'completed',
    text: turns.at(-1)?.message.content,
    finishReason: called ? 'max_turns' : 'stop',
    toolCalls: result.toolCalls.map((call) => ({ outcome: outcomeOf(call, plan) })),
  });
  expect(events.filter(({ type }) => type === 'complete')).toHaveLength(1);
  return result.text;
}

/** The model with the provider's parameters as they were recorded. */
function modelOf(step: RecordedStep, server: ReplayServer) {
  const { model, messages, tools = [], ...parameters } = step.request;
  const hosted = tools.filter((wire) => definitionOf(wire) === undefined || wire.defer_loading);
  const functions = tools.flatMap((wire) => definitionOf(wire) ?? []);
  return openaiModel({
    api: step.api,
    model: model ?? 'deployment',
    baseURL: server.baseURL(step),
    apiKey: 'x',
    request: {
      ...Object.fromEntries(Object.entries(parameters).filter(([name]) => !ours.has(name))),
      ...(hosted.length > 0 && { tools: hosted }),
      // Azure has the model in the URL.
      ...(model === undefined && { model }),
    },
    strict: functions.length > 0 && functions.every(({ strict }) => strict === true),
    systemRole: messages?.[0]?.role === 'developer' ? 'developer' : 'system',
  });
}

/** Parameters that a run of ours sets; what is left are settings of the model. */
const ours = new Set([
  'input',
  'instructions',
  'tool_choice',
  'stream',
  'stream_options',
  'previous_response_id',
]);

/** The part of a tool on the wire that describes a function; `undefined` for tools of the provider. */
function definitionOf(wire: WireTool): WireTool | undefined {
  const definition = wire.function ?? wire;
  return definition.name === undefined ? undefined : definition;
}

/** Every tool that any step knows, each answering what was recorded for the call. */
function toolsOf(plan: RunPlan, steps: readonly RecordedStep[], stage: Stage): Tool[] {
  // The longest list first: the others hold part of it in the same order.
  const lists = steps.map(({ request }) => [...(request.tools ?? []), ...injectedTools(request)]);
  const definitions = new Map<string, WireTool>();
  for (const wire of lists.sort((a, b) => b.length - a.length).flat()) {
    const definition = definitionOf(wire);
    const name = definition?.name ?? '';
    if (definition && !definitions.has(name)) definitions.set(name, definition);
  }
  const results = resultsOf(steps, stage.episode);
  return [...definitions].map(([name, { description, parameters = {} }]) =>
    tool({
      name,
      description: description ?? '',
      parameters,
      effect: 'read',
      execute: (args, { conversationId }) => {
        const agent = plan.agents?.[name];
        if (agent) return replayRun(agent, stage, `${conversationId}-${name}`);
        if (plan.throws?.[name] !== undefined) throw new Error(plan.throws[name]);
        return results.get(callKey(name, args))?.shift() ?? 'Not recorded.';
      },
    }),
  );
}

/** Tools that an item of the input tells of. */
function injectedTools({ input = [] }: WireRequest): readonly WireTool[] {
  return input.flatMap(({ type, tools = [] }) => (type === 'additional_tools' ? tools : []));
}

/** What was recorded for the calls, by name and arguments, in order. */
function resultsOf(steps: readonly RecordedStep[], { results }: RecordedEpisode) {
  const known = new Map<string, string[]>();
  for (const { id, name, arguments: args } of steps.flatMap(calledIn)) {
    const result = results.get(id);
    if (result === undefined) continue;
    const key = callKey(name, args);
    known.set(key, [...(known.get(key) ?? []), result]);
  }
  return known;
}

const callKey = (name: string, args: Json) => JSON.stringify([name, args]);

interface RecordedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
}

function calledIn({ oracle, ...recorded }: RecordedStep): readonly RecordedCall[] {
  return (expectedTurn(recorded, oracle) as { toolCalls: readonly RecordedCall[] }).toolCalls;
}

/** Gives each turn the instructions, the tools and the choice of its recorded request. */
function turnsOf(plan: RunPlan, steps: readonly RecordedStep[]): PrepareTurn {
  return ({ turn, messages, responseId }) => {
    const { request } = steps[turn - 1] as RecordedStep;
    const { tools = [], tool_choice: toolChoice, previous_response_id: previous } = request;
    const instructions = instructionsOf(request);
    return {
      messages: plan.messages?.(messages) ?? messages,
      tools: tools.flatMap((wire) => definitionOf(wire)?.name ?? []),
      ...(instructions !== undefined && { instructions }),
      ...(toolChoice !== undefined && { toolChoice }),
      ...(previous !== undefined && { extra: { previous_response_id: responseId } }),
    };
  };
}

function instructionsOf({ instructions, messages = [] }: WireRequest): string | undefined {
  const [first = {}] = messages;
  const isSystem = first.role === 'system' || first.role === 'developer';
  return isSystem ? messageText(first) : instructions;
}

/** What the user says: the last message of the user in the first request of a run. */
function userMessage({ request }: RecordedStep): string {
  const said = request.messages ?? request.input ?? [];
  return messageText(said.findLast(({ role }) => role === 'user') ?? {});
}

/** A committed turn as `collectTurn` would have it. */
function collected({ turn, message, finishReason, usage }: CommittedTurn, events: RunEvent[]) {
  const thoughts = events.filter((event) => event.type === 'reasoning' && event.turn === turn);
  return {
    text: message.content,
    refusal: message.refusal ?? null,
    reasoning: thoughts.map((event) => (event.type === 'reasoning' ? event.text : '')).join(''),
    toolCalls: (message.toolCalls ?? []).map((call) => ({
      ...call,
      arguments: JSON.parse(call.argumentsText) as Json,
    })),
    finishReason,
    usage,
    error: null,
  };
}

function outcomeOf(
  { tool: name, content }: { readonly tool: string; readonly content: string | null },
  { throws = {}, firstCallOnly }: RunPlan,
): 'succeeded' | 'failed' {
  const forgotten = firstCallOnly && content?.startsWith('Not run: at most 1 tool call');
  return forgotten || throws[name] !== undefined ? 'failed' : 'succeeded';
}

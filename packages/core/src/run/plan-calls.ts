import { digest } from '../internal/digest.ts';
import { derivedId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import { parseStorable } from '../internal/storable.ts';
import { authorize } from '../policies/confirmation.ts';
import type { CommittedTurn, PlannedCall } from '../stores/run-store.ts';
import type { Tool } from '../tools/tool.ts';
import type { OwnedRun } from './owned-run.ts';
import type { EventBody } from './run-log.ts';

/** A tool call as somebody asked for it: the model, or the host through `call`. */
interface RequestedCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
  readonly custom?: boolean;
}

/**
 * Plans the calls of a turn, in order: which tool, which arguments, which effect, and whether a person must approve.
 * A call that cannot work (no such tool, arguments that do not parse) is planned as well; it is answered, never started.
 */
export async function planCalls(
  run: OwnedRun,
  turn: number,
  requested: readonly RequestedCall[],
  find: (name: string) => Tool | undefined,
): Promise<PlannedCall[]> {
  if (requested.length === 0) return [];
  // One guard for all of them: a rule of the host may take as long as it likes.
  return run.orStop(() =>
    Promise.all(requested.map((call, index) => planCall(run, { turn, index }, call, find))),
  );
}

async function planCall(
  run: OwnedRun,
  place: { readonly turn: number; readonly index: number },
  call: RequestedCall,
  find: (name: string) => Tool | undefined,
): Promise<PlannedCall> {
  const { turn, index } = place;
  const tool = find(call.name);
  const args = call.custom ? call.argumentsText : parseArguments(call.argumentsText);
  const json = args ?? null;
  const isTooMany = index >= run.settings.limits.maxCallsPerTurn;
  return {
    callId: derivedId('call', run.record.runId, turn, index),
    turn,
    index,
    modelCallId: call.id,
    tool: tool?.name ?? call.name,
    args: json,
    argsDigest: digest(json),
    definitionHash: tool?.definitionHash ?? '',
    effect: tool?.effect ?? 'write',
    authorization: isTooMany ? 'waived:invalid' : await authorization(run, tool, args),
  };
}

/** The one call of a run that the host asked for, committed as the turn that a model would have made. */
export async function planHostCall(run: OwnedRun): Promise<void> {
  const { input, runId } = run.record;
  if (input.kind !== 'call') return;
  const requested: RequestedCall = {
    id: derivedId('call', runId, 1, 0),
    name: input.tool,
    argumentsText: JSON.stringify(input.args),
  };
  const calls = await planCalls(run, 1, [requested], (name) => run.settings.tools.get(name));
  const turn: CommittedTurn = {
    turn: 1,
    message: { role: 'assistant', content: '', toolCalls: [requested] },
    finishReason: null,
    responseId: null,
    usage: null,
  };
  await commitTurn(run, turn, calls);
}

/** Commits a turn with its calls, before any of them starts, and shows the requests that no person has to approve. */
export async function commitTurn(
  run: OwnedRun,
  turn: CommittedTurn,
  calls: readonly PlannedCall[],
): Promise<void> {
  await run.settings.crashPoint('before_turn_commit');
  const bodies: EventBody[] = calls
    .filter((call) => call.authorization !== 'confirm')
    .map((call) => toolRequest(call));
  if (turn.usage) bodies.push({ type: 'usage', turn: turn.turn, usage: turn.usage });
  await run.log.store(bodies, (events) =>
    run.settings.stores.runs.commitTurn(run.fence, turn, calls, events),
  );
  run.committed(turn, calls);
  await run.settings.crashPoint('after_turn_commit');
}

/** The event of a planned call; with `expiresAt` when a person has to approve it. */
export function toolRequest(call: PlannedCall, expiresAt?: number): EventBody {
  return {
    type: 'tool_request',
    turn: call.turn,
    callId: call.callId,
    tool: call.tool,
    args: call.args,
    effect: call.effect,
    requiresConfirmation: expiresAt !== undefined,
    argsDigest: call.argsDigest,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

async function authorization(
  run: OwnedRun,
  tool: Tool | undefined,
  args: Json | undefined,
): Promise<PlannedCall['authorization']> {
  // Nobody is asked about a call that will be answered with an error anyway.
  if (!tool || args === undefined) return 'waived:invalid';
  const validation = await tool.validate(args);
  if (!validation.valid) return 'waived:invalid';
  const context = {
    tool: tool.name,
    effect: tool.effect,
    principal: run.principal,
    conversationId: run.record.conversationId,
  };
  return authorize(tool, args, context);
}

/** The arguments as JSON; `undefined` when they do not parse. No text at all means no arguments. */
function parseArguments(text: string): Json | undefined {
  if (text.trim() === '') return {};
  try {
    return parseStorable(text) as Json;
  } catch {
    return undefined;
  }
}

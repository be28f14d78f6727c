import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';
import { isRecord, type Json } from '../internal/json.ts';
import type { Tool } from '../tools/tool.ts';
import type { CallAnswer } from './execution-ledger.ts';
import { type AskedCall, type Caller, InvalidCalls, type ServerCalls } from './server-calls.ts';

/** What the REST contract needs of a server. */
export interface RestFaceOptions {
  readonly info: { readonly name: string; readonly version: string };
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly calls: ServerCalls;
}

/** An envelope as it is sent. */
interface Envelope {
  readonly requestId: string;
  readonly calls: readonly AskedCall[];
  readonly keepAll: boolean;
}

const MAX_CALLS = 50;
const MAX_ID_CHARACTERS = 200;

/** What a server is and what its tools take: `GET /mcp/discover` and `GET /.well-known/mcp`. */
export function discovery({ info, instructions, tools }: RestFaceOptions): Response {
  return Response.json({
    ...info,
    ...(instructions === undefined ? {} : { description: instructions }),
    allowed_tools: [...tools.keys()],
    tools: [...tools.values()].map(({ name, description, parameters, effect }) => ({
      tool_slug: name,
      description,
      input_schema: parameters,
      annotations: {
        readOnlyHint: effect === 'read',
        destructiveHint: effect === 'write',
        idempotentHint: effect !== 'write',
      },
    })),
    endpoints: { execute: '/mcp/execute', health: '/health', metrics: '/metrics', mcp: '/mcp' },
  });
}

/** `POST /mcp/execute`: the calls of an envelope, each at most once for its request id. */
export async function executeEnvelope(
  body: string,
  caller: Caller,
  { calls }: RestFaceOptions,
): Promise<Response> {
  let requestId: string | null = null;
  try {
    const envelope = readEnvelope(body);
    ({ requestId } = envelope);
    const answers = await calls.perform({
      caller,
      key: requestId,
      calls: envelope.calls,
      keepAll: envelope.keepAll,
      // A caller that is gone may ask again with the same id: the tool's deadline ends the call, not its connection.
      signal: new AbortController().signal,
      progress: () => undefined,
      requestInput: nobodyToAsk,
    });
    return executed(envelope, answers);
  } catch (error) {
    return refused(requestId, error);
  }
}

function readEnvelope(body: string): Envelope {
  const envelope = parsed(body);
  const must = (holds: boolean, rule: string): void => {
    if (!holds) throw new StewardError('invalid_argument', rule);
  };
  must(isRecord(envelope), 'The body must be a JSON object.');
  const {
    tools,
    requestId,
    sync_response_to_workbench: keepAll = false,
  } = envelope as Record<string, unknown>;
  must(Array.isArray(tools) && tools.length > 0, 'tools must be an array with at least one call.');
  const list = tools as readonly unknown[];
  must(list.length <= MAX_CALLS, `tools must hold at most ${MAX_CALLS} calls.`);
  must(typeof keepAll === 'boolean', 'sync_response_to_workbench must be a boolean.');
  const isId = typeof requestId === 'string' && /^[\x21-\x7e]+$/.test(requestId);
  must(
    requestId === undefined || (isId && requestId.length <= MAX_ID_CHARACTERS),
    `requestId must be 1 to ${MAX_ID_CHARACTERS} visible characters.`,
  );
  const calls = list.map((call, index) => {
    must(isRecord(call), `tools[${index}] must be an object.`);
    const { tool_slug: tool, arguments: args = {} } = call as Record<string, unknown>;
    must(typeof tool === 'string', `tools[${index}].tool_slug must be a string.`);
    return { tool: tool as string, args };
  });
  const id = isId ? requestId : randomUUID();
  return { requestId: id, calls, keepAll: keepAll as boolean };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function executed({ requestId, calls }: Envelope, answers: readonly CallAnswer[]): Response {
  const results = answers.map((answer, index) => resultOf(calls[index]?.tool ?? '', answer));
  const failed = results.find(({ successful }) => !successful);
  return Response.json({
    requestId,
    successful: failed === undefined,
    data: { results },
    error: failed?.error ?? null,
  });
}

function resultOf(tool: string, { outcome, content, value, artifact, code }: CallAnswer) {
  const successful = outcome === 'succeeded';
  return {
    tool_slug: tool,
    successful,
    response: successful ? (value ?? content) : null,
    error: successful ? null : { code: code ?? 'tool_failed', message: content },
    ...(artifact === undefined ? {} : { artifact }),
  };
}

const STATUS: { readonly [code in ErrorCode]?: number } = {
  invalid_argument: 400,
  request_conflict: 409,
  rate_limited: 429,
};

/** Nothing of the envelope has run. */
function refused(requestId: string | null, reason: unknown): Response {
  const { code, detail } = StewardError.from(reason, 'internal');
  const details =
    reason instanceof InvalidCalls
      ? reason.problems.map(({ index, tool, message }) => ({ index, tool_slug: tool, message }))
      : undefined;
  const status = STATUS[code] ?? 500;
  const message = status === 500 ? 'Something in the server failed.' : detail;
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  return Response.json({ requestId, successful: false, data: null, error }, { status });
}

const nobodyToAsk = (): Promise<Json> =>
  Promise.reject(
    new StewardError('tool_failed', 'The tool asks a person, which the REST contract cannot do.'),
  );

import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  type McpServerFactory,
  type ServerContext,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import { StewardError } from '../errors/steward-error.ts';
import { isRecord, type Json } from '../internal/json.ts';
import type { Tool } from '../tools/tool.ts';
import type { CallAnswer } from './execution-ledger.ts';
import type { Caller, ServerCalls } from './server-calls.ts';
import type { Question, Round, Serving, SuspendedCalls } from './suspended-calls.ts';

/** What native MCP needs of a server. */
export interface NativeFaceOptions {
  readonly info: { readonly name: string; readonly version: string };
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly calls: ServerCalls;
  readonly suspended: SuspendedCalls;
  /** Who calls where nothing else is known: over stdio the process that started this one. */
  readonly local: Caller;
  readonly configure: ((server: McpServer) => void) | undefined;
  readonly serverOptions: ServerOptions | undefined;
}

type ToolResult = CallToolResult | InputRequiredResult;

const KEY = 'steward/idempotencyKey';
/** The one question of a round. */
const ASKED = 'answer';

/** Makes the SDK's server with our tools; one for each connection or request. */
export function nativeFactory(options: NativeFaceOptions): McpServerFactory {
  return () => {
    const { info, instructions, tools, configure, serverOptions = {} } = options;
    const server = new McpServer(
      { ...info },
      {
        ...serverOptions,
        capabilities: { ...serverOptions.capabilities, tools: { listChanged: true } },
        ...statesOf(options),
        ...(instructions === undefined ? {} : { instructions }),
      },
    );
    for (const tool of tools.values()) register(server, tool, options);
    configure?.(server);
    return server;
  };
}

/** What calls that wait here gave out is known here; the rest is for whoever gave it out to check. */
function statesOf({ serverOptions, suspended }: NativeFaceOptions): ServerOptions {
  const verify = serverOptions?.requestState?.verify;
  if (verify === undefined) return {};
  const verifyOther: typeof verify = (state, context) =>
    suspended.has(state) ? undefined : verify(state, context);
  return { requestState: { verify: verifyOther } };
}

function register(server: McpServer, tool: Tool, options: NativeFaceOptions): void {
  const { name, description, effect } = tool;
  const annotations = {
    readOnlyHint: effect === 'read',
    destructiveHint: effect === 'write',
    idempotentHint: effect !== 'write',
  };
  const config = { description, annotations, inputSchema: listedSchema(tool) };
  server.registerTool(name, config, (args, context) =>
    callTool({ tool: name, args }, context, options).catch(failedResult),
  );
}

/** The schema as it is listed. The gate checks arguments, the same way for every protocol. */
function listedSchema({ parameters }: Tool) {
  const json = () => parameters as Record<string, unknown>;
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'steward',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  };
}

async function callTool(
  call: { readonly tool: string; readonly args: unknown },
  { mcpReq, http }: ServerContext,
  { calls, suspended, local }: NativeFaceOptions,
): Promise<ToolResult> {
  const caller = (http?.authInfo?.extra?.['caller'] as Caller | undefined) ?? local;
  const token = mcpReq._meta?.progressToken;
  const serving: Serving = {
    signal: mcpReq.signal,
    progress: (update) => {
      if (token === undefined) return;
      const params = { progressToken: token, ...update };
      // A client that is gone has no use for it.
      mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
    },
  };
  const state = mcpReq.requestState<string>();
  if (state !== undefined) {
    const answer = answerOf(mcpReq.inputResponses);
    const round = await suspended.resume(state, { caller, answer }, serving);
    if (round === null)
      throw new StewardError('confirmation_expired', 'The question has expired: call again.');
    return resultOf(round);
  }
  const key = mcpReq._meta?.[KEY];
  const round = await suspended.begin(caller, serving, async (context) => {
    const request = {
      caller,
      key: typeof key === 'string' ? key : null,
      calls: [call],
      ...context,
    };
    const [answer] = await calls.perform(request);
    return answer as CallAnswer;
  });
  return resultOf(round);
}

function resultOf(round: Round): ToolResult {
  if (round.kind === 'answered') return answerResult(round.answer);
  return inputRequired({
    inputRequests: { [ASKED]: embedded(round.question) },
    requestState: round.state,
  });
}

function embedded({ message, schema, url }: Question) {
  if (url !== undefined) return inputRequired.elicitUrl({ message, url });
  const requestedSchema = (schema ?? { type: 'object', properties: {} }) as never;
  return inputRequired.elicit({ message, requestedSchema });
}

/** What the person said; `null` when it was declined, or not understood. */
function answerOf(responses: Record<string, unknown> | undefined): Json {
  const response = inputResponse(responses, ASKED);
  if (response.kind !== 'elicit' || response.action !== 'accept') return null;
  return (response.content ?? {}) as Json;
}

function answerResult({ outcome, content, value }: CallAnswer): CallToolResult {
  return {
    content: [{ type: 'text', text: content }],
    ...(isRecord(value) ? { structuredContent: value } : {}),
    ...(outcome === 'succeeded' ? {} : { isError: true }),
  };
}

/** What was refused, for the model to read. */
function failedResult(error: unknown): CallToolResult {
  const text = StewardError.from(error, 'internal').detail;
  return { content: [{ type: 'text', text }], isError: true };
}

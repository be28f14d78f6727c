import { StewardError } from '../errors/steward-error.ts';
import { isRecord, type JsonObject } from '../internal/json.ts';
import { ToolContent } from '../tools/tool-content.ts';
import { callFailure } from './call-failure.ts';
import type {
  ListedTool,
  Listing,
  McpAnswer,
  McpCall,
  McpClient,
  ToolHints,
} from './mcp-client.ts';
import type { ConnectOptions } from './native-client.ts';
import { parsed, type RestReply, readReply } from './rest-envelope.ts';
import { type RestAnswer, RestHttp } from './rest-http.ts';
import type { RestServerConfig } from './server-config.ts';
import type { PromptMessage, ServerPrompt } from './server-prompts.ts';

/** A server of the REST contract. There is no connection to open: that it is there shows when it is listed. */
export async function connectRest(
  config: RestServerConfig,
  { name }: ConnectOptions,
): Promise<McpClient> {
  return new RestClient(name, new RestHttp(config));
}

class RestClient implements McpClient {
  readonly protocolVersion = null;
  readonly era = null;
  readonly #name: string;
  readonly #http: RestHttp;

  constructor(name: string, rest: RestHttp) {
    this.#name = name;
    this.#http = rest;
  }

  async list(signal: AbortSignal): Promise<Listing> {
    const first = await this.#discover('mcp/discover', signal);
    const found = first.status === 404 ? await this.#discover('.well-known/mcp', signal) : first;
    if (found.status !== 200) throw this.#failed('mcp_unavailable', `it answers ${found.status}`);
    return { tools: this.#tools(parsed(found.body)), ttlMs: null };
  }

  /** The contract has none. */
  async prompts(): Promise<readonly ServerPrompt[]> {
    return [];
  }

  async prompt(name: string): Promise<readonly PromptMessage[]> {
    throw new StewardError('not_found', `MCP server "${this.#name}" has no prompt "${name}".`);
  }

  async call({ tool, effect, args, context }: McpCall): Promise<McpAnswer> {
    const { idempotencyKey, principal, signal } = context;
    signal.throwIfAborted();
    const body = JSON.stringify({
      tools: [{ tool_slug: tool.name, arguments: args }],
      requestId: idempotencyKey,
      sync_response_to_workbench: false,
    });
    const request = { method: 'POST', path: 'mcp/execute', body, user: principal, signal } as const;
    const answer = await this.#http
      .send({ ...request, isDelicate: effect === 'write' })
      .catch((error: unknown) => {
        throw callFailure(error, this.#name);
      });
    return this.#answered(answer);
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  async #discover(path: string, signal: AbortSignal): Promise<RestAnswer> {
    try {
      return await this.#http.send({ method: 'GET', path, signal });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw this.#failed('mcp_unavailable', said, error);
    }
  }

  #tools(found: unknown): readonly ListedTool[] {
    const tools = isRecord(found) ? found['tools'] : undefined;
    if (!Array.isArray(tools))
      throw this.#failed('mcp_failed', 'it does not say what tools it has');
    const allowed = isRecord(found) ? found['allowed_tools'] : undefined;
    const listed = tools.filter(isRecord).flatMap(listedTool);
    return Array.isArray(allowed) ? listed.filter(({ name }) => allowed.includes(name)) : listed;
  }

  #answered(answer: RestAnswer): McpAnswer {
    const reply = readReply(parsed(answer.body));
    if (answer.status !== 200) throw this.#refused(answer.status, reply);
    // It was asked to run the tool, and what it says does not tell whether it did.
    if (reply.kind === 'garbage')
      throw this.#failed('outcome_unknown', 'its answer is not one of the contract');
    if (reply.kind === 'result') return answered(reply.response, false);
    if (reply.code === 'outcome_unknown') throw this.#failed('outcome_unknown', reply.message);
    return answered(reply.message, true);
  }

  /** A refusal with a 4xx did not run. A 5xx may come from a proxy behind which the call still runs. */
  #refused(status: number, reply: RestReply): StewardError {
    const reason = reply.kind === 'error' ? `: ${reply.message}` : '';
    const said = `it answers ${status}${reason}`;
    if (status >= 500) return this.#failed('outcome_unknown', said);
    return this.#failed(status === 429 ? 'rate_limited' : 'mcp_failed', said);
  }

  #failed(
    code: 'mcp_failed' | 'mcp_unavailable' | 'outcome_unknown' | 'rate_limited',
    said: string,
    cause?: unknown,
  ): StewardError {
    const message = `MCP server "${this.#name}": ${said.slice(0, 1_000)}`;
    return new StewardError(code, message, { cause });
  }
}

function listedTool(tool: Record<string, unknown>): ListedTool[] {
  const {
    tool_slug: name,
    description,
    input_schema: inputSchema,
    output_schema: outputSchema,
  } = tool;
  if (typeof name !== 'string') return [];
  const { annotations } = tool;
  return [
    {
      name,
      description: typeof description === 'string' ? description : '',
      inputSchema,
      outputSchema,
      annotations: isRecord(annotations) ? (annotations as ToolHints) : {},
      definition: tool as JsonObject,
    },
  ];
}

function answered(response: unknown, isError: boolean): McpAnswer {
  const text = typeof response === 'string' ? response : JSON.stringify(response ?? null);
  return {
    kind: 'answered',
    content: new ToolContent([{ type: 'text', text }]),
    structured: isRecord(response) ? response : undefined,
    isError,
  };
}

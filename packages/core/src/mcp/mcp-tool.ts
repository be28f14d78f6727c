import { StewardError } from '../errors/steward-error.ts';
import type { Effect } from '../events/run-event.ts';
import { digest } from '../internal/digest.ts';
import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import { schemaCheck } from '../tools/argument-validator.ts';
import { boundedSchema, modelParameters } from '../tools/schema-limits.ts';
import type { Tool } from '../tools/tool.ts';
import { ToolContent } from '../tools/tool-content.ts';
import { hasHidden, withoutHidden } from './hidden-text.ts';
import type { ListedTool, McpAnswer, McpCall, ToolHints } from './mcp-client.ts';
import type { McpServerConfig } from './server-config.ts';

/** Where the calls of a server's tools go. */
export interface ToolServer {
  readonly name: string;
  readonly config: McpServerConfig;
  call(call: McpCall): Promise<Extract<McpAnswer, { kind: 'answered' }>>;
}

/** A tool that a server lists and that is not given to the model. */
export interface RefusedTool {
  readonly name: string;
  readonly reason: string;
}

/** What became of a server's listing. */
export interface ServerTools {
  readonly tools: readonly Tool[];
  readonly refused: readonly RefusedTool[];
}

/** More cannot be told to a model at once, and nobody lists them in good faith. */
const MAX_TOOLS = 5_000;
const MAX_NAME_CHARACTERS = 128;
const MAX_DESCRIPTION_CHARACTERS = 8_192;
const MAX_ERROR_CHARACTERS = 4_000;

/** The tools of a server by what the host says of them. What cannot be used safely is refused, with the reason. */
export function mcpTools(server: ToolServer, listed: readonly ListedTool[]): ServerTools {
  const tools = new Map<string, Tool>();
  const refused: RefusedTool[] = [];
  for (const listing of listed) {
    try {
      if (tools.size >= MAX_TOOLS)
        throw new TypeError(`the server lists more than ${MAX_TOOLS} tools`);
      if (tools.has(listing.name))
        throw new TypeError('the server lists another tool of this name');
      tools.set(listing.name, mcpTool(server, listing));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      refused.push({ name: withoutHidden(listing.name).slice(0, MAX_NAME_CHARACTERS), reason });
    }
  }
  return { tools: [...tools.values()], refused };
}

function mcpTool(server: ToolServer, listed: ListedTool): Tool {
  const { config } = server;
  if (listed.name.length > MAX_NAME_CHARACTERS || listed.name === '' || hasHidden(listed.name)) {
    throw new TypeError('its name is empty, too long or has characters that cannot be seen');
  }
  const schema = cleanSchema(boundedSchema(listed.inputSchema));
  const check = schemaCheck(schema, 'server');
  const checkResult = resultCheck(listed);
  const effect = effectOf(ownEffect(config, listed.name), listed.annotations);
  return Object.freeze<Tool>({
    name: `${server.name}__${listed.name}`,
    description: withoutHidden(listed.description).slice(0, MAX_DESCRIPTION_CHARACTERS),
    parameters: modelParameters(schema),
    effect,
    confirm: config.confirm ?? null,
    timeoutMs: config.timeoutMs ?? null,
    server: server.name,
    definitionHash: digest({ server: server.name, definition: listed.definition, effect }),
    async validate(args) {
      const message = await check(args);
      if (message === null) return { valid: true, value: args as Json };
      // Models say `null` for what they leave out; a server that takes no `null` there is sent nothing.
      const without = withoutNulls(args, schema);
      const isFit = without !== undefined && (await check(without)) === null;
      return isFit ? { valid: true, value: without } : { valid: false, message };
    },
    async execute(args, context) {
      const answer = await server.call({ tool: listed, args: args as JsonObject, context });
      if (answer.isError) throw new StewardError('tool_failed', errorText(answer.content));
      const problem = await checkResult(answer.structured);
      if (problem === null) return answer.content;
      const note = `[The structured result is not what the server promised: ${problem}]`;
      return new ToolContent([...answer.content.parts, { type: 'text', text: note }]);
    },
    reconcile: async () => undefined,
  });
}

/** A tool named `constructor` has no effect by inheritance. */
function ownEffect({ effects = {} }: McpServerConfig, tool: string): Effect {
  return (Object.hasOwn(effects, tool) ? effects[tool] : undefined) ?? 'write';
}

/** The host decides; what the server says can only make it stricter. */
function effectOf(declared: Effect, hints: ToolHints): Effect {
  const writes =
    hints.readOnlyHint === false || (hints.readOnlyHint !== true && hints.destructiveHint === true);
  if (declared === 'read' && writes) return 'write';
  return declared === 'write_idempotent' && hints.idempotentHint === false ? 'write' : declared;
}

/** The arguments without those that are `null` and need not be there; `undefined` when there are none of these. */
function withoutNulls(args: unknown, { required }: JsonObject): JsonObject | undefined {
  if (!isRecord(args)) return undefined;
  const members = Object.entries(args as JsonObject);
  const isLeftOut = (name: string, value: Json | undefined): boolean =>
    value === null && !(Array.isArray(required) && required.includes(name));
  const kept = members.filter(([name, value]) => !isLeftOut(name, value));
  return kept.length === members.length ? undefined : Object.fromEntries(kept);
}

function resultCheck({
  outputSchema,
}: ListedTool): (structured: unknown) => Promise<string | null> {
  if (outputSchema === undefined) return async () => null;
  const check = schemaCheck(boundedSchema(outputSchema), 'server');
  return async (structured) => (structured === undefined ? 'it is missing' : check(structured));
}

/** What a model reads as prose is cleaned; in names and values it cannot be without changing what they mean. */
function cleanSchema(schema: JsonObject): JsonObject {
  return cleaned(schema, false) as JsonObject;
}

/** `named`: the keys of this object are names of properties, not keywords. */
function cleaned(value: Json | undefined, named: boolean): Json | undefined {
  if (typeof value === 'string') {
    if (hasHidden(value)) throw new TypeError('its schema has characters that cannot be seen');
    return value;
  }
  if (Array.isArray(value)) return value.map((item: Json) => cleaned(item, false) ?? null);
  if (!isRecord(value)) return value;
  const members = Object.entries(value as JsonObject).map(([key, member]) => {
    if (hasHidden(key)) throw new TypeError('its schema has characters that cannot be seen');
    const isProse =
      !named && typeof member === 'string' && (key === 'description' || key === 'title');
    const holdsNames = !named && (key === 'properties' || key === '$defs' || key === 'definitions');
    return [key, isProse ? withoutHidden(member) : cleaned(member, holdsNames)] as const;
  });
  return Object.fromEntries(members);
}

function errorText({ parts }: ToolContent): string {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const text = texts.join('\n').toWellFormed().replaceAll('\0', '');
  if (text === '') return 'The server says that the tool failed, and not why.';
  return text.length > MAX_ERROR_CHARACTERS
    ? `${text.slice(0, MAX_ERROR_CHARACTERS).toWellFormed()} […]`
    : text;
}

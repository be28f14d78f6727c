import { StewardError } from '../errors/steward-error.ts';
import type { Effect } from '../events/run-event.ts';
import { digest } from '../internal/digest.ts';
import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import { schemaCheck } from '../tools/argument-validator.ts';
import { boundedSchema, modelParameters } from '../tools/schema-limits.ts';
import type { Tool } from '../tools/tool.ts';
import { ToolContent } from '../tools/tool-content.ts';
import { hasHidden, shown, withoutHidden } from './hidden-text.ts';
import type { ListedTool, McpAnswer, McpCall, ToolHints } from './mcp-client.ts';
import type { McpServerConfig } from './server-config.ts';
import { definitionOf } from './tool-pins.ts';

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

/**
 * A tool whose definition is no longer the one that was first seen or approved. It cannot be called until a person has
 * looked at it and `assistant.approveTools` was told its hash.
 *
 * @example
 * ```ts
 * import type { Assistant, ChangedTool } from '@steward/core';
 *
 * const approve = (assistant: Assistant, server: string, { name, hash }: ChangedTool) =>
 *   assistant.approveTools(server, { [name]: hash });
 * ```
 */
export interface ChangedTool {
  readonly name: string;
  /** All that the server says of it now, as JSON; what cannot be seen is written as `\\u{…}`. */
  readonly definition: string;
  /** Of this definition. */
  readonly hash: string;
}

/** What became of a server's listing. */
export interface ServerTools {
  readonly tools: readonly Tool[];
  readonly refused: readonly RefusedTool[];
  readonly changed: readonly ChangedTool[];
}

/** More cannot be told to a model at once, and nobody lists them in good faith. */
const MAX_TOOLS = 5_000;
const MAX_NAME_CHARACTERS = 128;
const MAX_DESCRIPTION_CHARACTERS = 8_192;
const MAX_ERROR_CHARACTERS = 4_000;

/** The tools of a server by what the host says of them. What cannot be used safely is refused, with the reason. */
export function mcpTools(
  server: ToolServer,
  listed: readonly ListedTool[],
  changedNames: ReadonlySet<string> = new Set(),
): ServerTools {
  const tools = new Map<string, Tool>();
  const refused: RefusedTool[] = [];
  const changed: ChangedTool[] = [];
  for (const listing of listed) {
    try {
      checkListed(server, listing, tools);
      const isChanged = changedNames.has(listing.name);
      tools.set(listing.name, isChanged ? blockedTool(server, listing) : mcpTool(server, listing));
      if (isChanged) changed.push(changedTool(listing));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      refused.push({ name: withoutHidden(listing.name).slice(0, MAX_NAME_CHARACTERS), reason });
    }
  }
  return { tools: [...tools.values()], refused, changed };
}

function checkListed(
  { config }: ToolServer,
  { name }: ListedTool,
  tools: ReadonlyMap<string, Tool>,
): void {
  if (config.deny?.includes(name)) throw new TypeError('the host does not allow it');
  if (tools.size >= MAX_TOOLS) throw new TypeError(`the server lists more than ${MAX_TOOLS} tools`);
  if (tools.has(name)) throw new TypeError('the server lists another tool of this name');
}

function mcpTool(server: ToolServer, listed: ListedTool): Tool {
  const { config } = server;
  const schema = cleanSchema(boundedSchema(listed.inputSchema));
  const check = schemaCheck(schema, 'server');
  const checkResult = resultCheck(listed);
  const effect = effectOf(ownEffect(config, listed.name), listed.annotations);
  return Object.freeze<Tool>({
    name: `${server.name}__${checkedName(listed.name)}`,
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
      const answer = await server.call({ tool: listed, effect, args: args as JsonObject, context });
      if (answer.isError) throw new StewardError('tool_failed', errorText(answer.content));
      const problem = await checkResult(answer.structured);
      if (problem === null) return answer.content;
      const note = `[The structured result is not what the server promised: ${problem}]`;
      return new ToolContent([...answer.content.parts, { type: 'text', text: note }]);
    },
    reconcile: async () => undefined,
  });
}

/** Stands where a tool was whose definition changed: it says so, and does nothing. */
function blockedTool({ name: server }: ToolServer, listed: ListedTool): Tool {
  const message = `The definition of this tool changed; a person has to approve it before it can be used again.`;
  return Object.freeze<Tool>({
    name: `${server}__${checkedName(listed.name)}`,
    description: `Cannot be used: ${message}`,
    parameters: { type: 'object' },
    effect: 'read',
    confirm: 'never',
    timeoutMs: null,
    server,
    definitionHash: digest({ server, changed: definitionOf(listed) }),
    validate: async (args) => ({ valid: true, value: args as Json }),
    execute: () => Promise.reject(new StewardError('tool_changed', message)),
    reconcile: async () => undefined,
  });
}

/** The longest definition that is shown to a person. */
const MAX_SHOWN_CHARACTERS = 16_384;

function changedTool(listed: ListedTool): ChangedTool {
  const definition = JSON.stringify(listed.definition).slice(0, MAX_SHOWN_CHARACTERS);
  return { name: listed.name, definition: shown(definition), hash: definitionOf(listed) };
}

function checkedName(name: string): string {
  if (name !== '' && name.length <= MAX_NAME_CHARACTERS && !hasHidden(name)) return name;
  throw new TypeError('its name is empty, too long or has characters that cannot be seen');
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

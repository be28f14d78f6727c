import type { Effect } from '../events/run-event.ts';
import { digest } from '../internal/digest.ts';
import type { Json } from '../internal/json.ts';
import { schemaCheck } from './argument-validator.ts';
import { modelParameters } from './schema-limits.ts';
import { describeProblem } from './schema-problem.ts';
import type { ConfirmContext, ConfirmRule, Tool, ToolContext, Validation } from './tool.ts';
import {
  type ArgumentsOf,
  type Parsed,
  type ReadSchema,
  readSchema,
  type ToolSchema,
} from './tool-schema.ts';

/**
 * What {@link tool} takes. `Schema` is the type of `parameters`; the types of the arguments follow from it.
 *
 * @example
 * ```ts
 * import { type ToolOptions, tool } from '@steward/core';
 *
 * const options: ToolOptions<{ type: 'object' }> = {
 *   name: 'now',
 *   description: 'The time, in ISO 8601',
 *   parameters: { type: 'object' },
 *   effect: 'read',
 *   execute: () => new Date().toISOString(),
 * };
 * const now = tool(options);
 * ```
 */
export interface ToolOptions<Schema extends ToolSchema> {
  /** 1 to 128 letters, digits, spaces or `_ . / : @ -`, unique in its assistant. */
  readonly name: string;
  /** What it does and when to use it: this is all that the model knows. */
  readonly description: string;
  /** A zod schema (4, or 3.25 and later) or a JSON Schema of an object. */
  readonly parameters: Schema;
  /** `write` unless given: it then starts at most once and asks before it does. */
  readonly effect?: Effect | undefined;
  /** Whether a person must approve a call; by default writes ask and reads do not. */
  readonly confirm?:
    | 'always'
    | 'never'
    | ((args: ArgumentsOf<Schema>, context: ConfirmContext) => boolean | Promise<boolean>)
    | undefined;
  /** Milliseconds until a call is aborted; the assistant's `toolTimeoutMs` unless given. */
  readonly timeoutMs?: number | undefined;
  /** Finds out whether a call took effect whose outcome is unknown after a crash; `undefined` when it cannot be said. */
  readonly reconcile?: ((callId: string) => Settled | Promise<Settled>) | undefined;
  /**
   * Does it. May return text, anything JSON, `Uint8Array`, or a stream (`ReadableStream`, or any async iterable of text or
   * bytes); what is larger than `resultLimitBytes` is kept as an artifact. What it throws is told to the model.
   */
  readonly execute: (args: ArgumentsOf<Schema>, context: ToolContext) => unknown;
}

/** What became of a call, as far as the tool can tell. */
type Settled = Awaited<ReturnType<Tool['reconcile']>>;

const EFFECTS: readonly string[] = ['read', 'write_idempotent', 'write'] satisfies Effect[];
const NAME = /^(?! )[\p{L}\p{N}_./:@ -]{1,128}(?<! )$/u;
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Makes a tool of a function of yours. Use it for what an assistant may do in your own process; what lives on MCP servers
 * is given with the assistant's `mcp` option instead.
 *
 * Arguments are checked before anything else happens: against the JSON Schema, then by the zod schema with its refinements.
 * `execute` gets the zod schema's output, defaults and transforms applied; what is shown, approved and stored is the JSON
 * that the model sent.
 *
 * @throws TypeError that names the field when the definition is not acceptable.
 * @see https://json-schema.org
 * @example
 * ```ts
 * import { tool } from '@steward/core';
 * import { z } from 'zod';
 *
 * const weather = tool({
 *   name: 'get_weather',
 *   description: 'The weather in a city, today',
 *   parameters: z.object({ city: z.string(), unit: z.enum(['C', 'F']).default('C') }),
 *   effect: 'read',
 *   execute: async ({ city, unit }, { signal }) =>
 *     (await fetch(`https://weather.example/${encodeURIComponent(city)}?unit=${unit}`, { signal })).json(),
 * });
 * ```
 */
export function tool<const Schema extends ToolSchema>(options: ToolOptions<Schema>): Tool {
  checkOptions(options);
  const { name, description, confirm, reconcile } = options;
  const schema = parametersOf(name, options.parameters);
  const parameters = modelParameters(schema.jsonSchema);
  const effect = options.effect ?? 'write';
  const check = schemaCheck(schema.jsonSchema, 'host');
  const typed = async (args: Json): Promise<ArgumentsOf<Schema>> => {
    const parsed = await schema.parse(args);
    if (!parsed.ok) throw new TypeError(problems(parsed));
    return parsed.value as ArgumentsOf<Schema>;
  };
  return Object.freeze<Tool>({
    name,
    description,
    parameters,
    effect,
    confirm: confirmRule(confirm, typed),
    timeoutMs: options.timeoutMs ?? null,
    server: null,
    definitionHash: digest({ name, description, schema: schema.jsonSchema, effect, server: null }),
    validate: (args) => validate(args, check, schema),
    execute: async (args, context) => options.execute(await typed(args), context),
    reconcile: async (callId) => reconcile?.(callId),
  });
}

async function validate(
  args: unknown,
  check: (value: unknown) => Promise<string | null>,
  schema: ReadSchema,
): Promise<Validation> {
  const message = await check(args);
  if (message !== null) return { valid: false, message };
  const value = args as Json;
  const parsed = await schema.parse(value);
  return parsed.ok ? { valid: true, value } : { valid: false, message: problems(parsed) };
}

function problems(parsed: Extract<Parsed, { ok: false }>): string {
  return parsed.issues
    .slice(0, 5)
    .map(({ path, message }) => describeProblem(path, message))
    .join('; ');
}

function confirmRule<Args>(
  rule:
    | 'always'
    | 'never'
    | ((args: Args, context: ConfirmContext) => boolean | Promise<boolean>)
    | undefined,
  typed: (args: Json) => Promise<Args>,
): ConfirmRule | null {
  if (rule === undefined) return null;
  if (typeof rule === 'string') return rule;
  return async (args, context) => rule(await typed(args), context);
}

function parametersOf(name: string, parameters: unknown): ReadSchema {
  try {
    return readSchema(parameters);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`tool "${name}": parameters: ${reason}`, { cause: error });
  }
}

/** Types are checked too: the caller may be JavaScript. */
function checkOptions(options: ToolOptions<ToolSchema>): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('tool: options must be an object');
  const { parameters: _read, ...given } = options;
  const { name, description, effect, confirm, timeoutMs, reconcile, execute, ...rest } = given;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError(
      `tool: name must be 1 to 128 letters, digits, spaces or _ . / : @ - (got ${show(name)})`,
    );
  }
  const must = (holds: boolean, field: string, rule: string): void => {
    if (!holds) throw new TypeError(`tool "${name}": ${field} must be ${rule}`);
  };
  const [unknown] = Object.keys(rest);
  if (unknown) throw new TypeError(`tool "${name}": ${unknown} is not an option`);
  must(typeof description === 'string', 'description', 'a string');
  must(effect === undefined || EFFECTS.includes(effect), 'effect', `one of ${EFFECTS.join(', ')}`);
  must(isConfirm(confirm), 'confirm', "'always', 'never' or a function");
  must(
    timeoutMs === undefined || isTimeout(timeoutMs),
    'timeoutMs',
    `milliseconds, 1 to ${MAX_TIMER_MS}`,
  );
  must(reconcile === undefined || typeof reconcile === 'function', 'reconcile', 'a function');
  must(typeof execute === 'function', 'execute', 'a function');
}

const show = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value.slice(0, 140)) : typeof value;

/** Whether a value is a confirm rule or absent. */
export const isConfirm = (value: unknown): boolean =>
  value === undefined || value === 'always' || value === 'never' || typeof value === 'function';

/** Whether a value is an effect class. */
export const isEffect = (value: unknown): value is Effect =>
  typeof value === 'string' && EFFECTS.includes(value);

/** Whether a value is a delay that a timer can keep. */
export const isTimeout = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_TIMER_MS;

import { createRequire } from 'node:module';
import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import { boundedSchema } from './schema-limits.ts';

/** Loads what only some users need, synchronously because a tool knows its parameters at once. */
const require = createRequire(import.meta.url);

/**
 * How the arguments of a tool can be described: a zod 4 schema (classic or mini), a zod 3 schema, or a plain JSON Schema
 * (draft-07, or 2020-12 by its `$schema`). The root has to be an object.
 *
 * @example
 * ```ts
 * import type { ToolSchema } from '@steward/core';
 *
 * const cityOnly = {
 *   type: 'object',
 *   properties: { city: { type: 'string' } },
 *   required: ['city'],
 * } as const satisfies ToolSchema;
 * ```
 * @see https://json-schema.org/draft/2020-12
 */
export type ToolSchema =
  | { readonly _zod: { readonly output: unknown } }
  | { readonly _output: unknown; readonly _def: unknown }
  | JsonObject;

/**
 * The type of the arguments that `execute` gets for a schema: the output of a zod schema, a JSON object otherwise.
 *
 * @example
 * ```ts
 * import type { ArgumentsOf } from '@steward/core';
 * import { z } from 'zod';
 *
 * const schema = z.object({ city: z.string(), days: z.number().default(3) });
 * const args: ArgumentsOf<typeof schema> = { city: 'Oslo', days: 3 };
 * ```
 */
export type ArgumentsOf<S extends ToolSchema> = S extends {
  readonly _zod: { readonly output: infer Output };
}
  ? Output
  : S extends { readonly _output: infer Output; readonly _def: unknown }
    ? Output
    : JsonObject;

/** What came of giving a value to a user's schema. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** One thing wrong with a value. */
interface SchemaIssue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

/** A user's schema, understood: its JSON Schema, and how it turns sent arguments into what `execute` gets. */
export interface ReadSchema {
  readonly jsonSchema: JsonObject;
  parse(value: Json): Promise<Parsed>;
}

/** Reads any {@link ToolSchema}. Throws a `TypeError` whose message goes behind the name of the field. */
export function readSchema(schema: unknown): ReadSchema {
  if (!isRecord(schema)) throw new TypeError('must be a zod schema or a JSON Schema object');
  if ('_zod' in schema) return zodSchema(schema, zod4JsonSchema(schema));
  if ('_def' in schema) return zodSchema(schema, zod3JsonSchema(schema));
  return {
    jsonSchema: objectSchema(schema),
    parse: async (value) => ({ ok: true, value }),
  };
}

function zodSchema(schema: Record<string, unknown>, jsonSchema: unknown): ReadSchema {
  const standard = schema['~standard'] as StandardSchema | undefined;
  if (typeof standard?.validate !== 'function') {
    throw new TypeError('was made by a version of zod before 3.25; update zod');
  }
  return {
    jsonSchema: objectSchema(jsonSchema),
    async parse(value) {
      const result = await standard.validate(value);
      if (result.issues === undefined) return { ok: true, value: result.value };
      return { ok: false, issues: result.issues.map(readIssue) };
    },
  };
}

function objectSchema(schema: unknown): JsonObject {
  const bounded = boundedSchema(schema);
  if (bounded['type'] !== 'object') {
    throw new TypeError(
      'must describe an object: `z.object({ ... })`, or a JSON Schema with `type: "object"` at its root',
    );
  }
  return bounded;
}

/** The part of Standard Schema and Standard JSON Schema that zod has. @see https://standardschema.dev */
interface StandardSchema {
  validate(value: unknown): StandardResult | Promise<StandardResult>;
  readonly jsonSchema?: {
    input(options: { target: string; libraryOptions: Record<string, unknown> }): unknown;
  };
}
interface StandardResult {
  readonly value?: unknown;
  readonly issues?: readonly StandardIssue[];
}
interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
}

function readIssue(issue: StandardIssue): SchemaIssue {
  const path = (issue.path ?? []).map((segment) =>
    typeof segment === 'object' ? segment.key : segment,
  );
  return { message: issue.message, path };
}

/** The schema converts itself where it can (zod 4.2 and later), so that no second zod is loaded. */
function zod4JsonSchema(schema: Record<string, unknown>): unknown {
  const standard = schema['~standard'] as StandardSchema | undefined;
  if (standard?.jsonSchema !== undefined) {
    return standard.jsonSchema.input({ target: 'draft-07', libraryOptions: { unrepresentable } });
  }
  const zod = require('zod/v4/core') as {
    toJSONSchema(schema: unknown, options: Record<string, unknown>): unknown;
  };
  return zod.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable });
}

/** JSON has no dates: a coerced one is sent as text. Anything else that JSON lacks is the developer's mistake. */
function unrepresentable({ zodSchema: part }: { zodSchema: unknown }): JsonObject | 'throw' {
  const def = (part as { _zod?: { def?: { type?: unknown; coerce?: unknown } } })._zod?.def;
  return def?.type === 'date' && def.coerce === true
    ? { type: 'string', format: 'date-time' }
    : 'throw';
}

function zod3JsonSchema(schema: unknown): unknown {
  const converter = require('zod-to-json-schema') as {
    zodToJsonSchema(schema: unknown, options: Record<string, unknown>): unknown;
  };
  return converter.zodToJsonSchema(schema, {
    target: 'jsonSchema7',
    $refStrategy: 'root',
    effectStrategy: 'input',
    pipeStrategy: 'input',
    // Unknown properties are dropped by zod, not refused, unless the schema is strict.
    removeAdditionalStrategy: 'strict',
  });
}

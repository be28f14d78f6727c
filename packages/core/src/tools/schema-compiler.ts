// Loaded when the first value is checked: ajv is large.
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { sha256 } from '../internal/digest.ts';
import type { JsonObject } from '../internal/json.ts';
import { describeProblem } from './schema-problem.ts';

/** Says what is wrong with a value, for the model to read; `null` when nothing is. */
export type SchemaCheck = (value: unknown) => string | null;

/**
 * Who wrote a schema. The patterns of a `server` are not evaluated: a regular expression can take hours, and the server
 * checks its own arguments anyway.
 */
export type SchemaAuthor = 'host' | 'server';

type Dialect = 'draft-07' | '2020-12';

/** Compiled schemas kept, over all tools of the process: enough for the largest catalogues we know. */
const MAX_COMPILED = 2_000;
/** Problems told to the model at once. */
const MAX_PROBLEMS = 5;

const compiled = new LRUCache<string, SchemaCheck>({ max: MAX_COMPILED });
// Compiling a meta-schema takes longer than all tools of a host together: only strangers' schemas are held to it.
const metaSchemas = new Map<Dialect, Ajv>();

/** The check for a schema; equal schemas are compiled once. */
export function compileSchema(schema: JsonObject, author: SchemaAuthor): SchemaCheck {
  const key = `${author}:${sha256(JSON.stringify(schema))}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const check = compile(schema, author);
  compiled.set(key, check);
  return check;
}

function compile(schema: JsonObject, author: SchemaAuthor): SchemaCheck {
  const dialect = dialectOf(schema);
  // The dialect is chosen here; an unknown `$schema` would be looked up as a remote reference.
  const { $schema: _dialect, ...bare } = schema;
  const invalid = author === 'server' ? metaProblem(dialect, bare) : null;
  return invalid === null ? compileWith(compilerFor(dialect, author), bare) : unusable(invalid);
}

function metaProblem(dialect: Dialect, schema: JsonObject): string | null {
  const meta = metaSchemas.get(dialect) ?? newAjv(dialect, QUIET);
  metaSchemas.set(dialect, meta);
  return meta.validateSchema(schema) === true ? null : meta.errorsText();
}

// One instance a schema (0.5 ms): in a shared one their ids would meet, and nothing of them would ever be freed.
function compilerFor(dialect: Dialect, author: SchemaAuthor): Ajv {
  const ajv = newAjv(dialect, options(author));
  formats.default(ajv);
  if (author === 'server') ajv.removeKeyword('pattern').removeKeyword('patternProperties');
  return ajv;
}

function newAjv(dialect: Dialect, options: Options): Ajv {
  return dialect === '2020-12' ? new Ajv2020(options) : new Ajv(options);
}

/** By `$schema`; without one 2020-12 as MCP has it, except for what only the older dialects allow. */
function dialectOf(schema: JsonObject): Dialect {
  const declared = schema['$schema'];
  if (typeof declared === 'string')
    return /20(19-09|20-12)/.test(declared) ? '2020-12' : 'draft-07';
  return JSON.stringify(schema).includes('"items":[') ? 'draft-07' : '2020-12';
}

function options(author: SchemaAuthor): Options {
  return {
    strict: false,
    allErrors: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    logger: false,
    code: { regExp: Object.assign(author === 'host' ? pattern : anything, { code: 'new RegExp' }) },
  };
}

/** JSON Schema wants the `u` flag; many patterns in the field are only valid without. */
function pattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    return new RegExp(source);
  }
}

const anything = (): { test(text: string): boolean } => ({ test: () => true });

const QUIET: Options = { logger: false };

function compileWith(ajv: Ajv, schema: JsonObject): SchemaCheck {
  try {
    const validate = ajv.compile(schema);
    return (value) => run(validate, value);
  } catch (error) {
    return unusable(error instanceof Error ? error.message : String(error));
  }
}

function unusable(reason: string): SchemaCheck {
  return () => `the schema of this tool cannot be used: ${reason.slice(0, 300)}`;
}

function run(validate: ValidateFunction, value: unknown): string | null {
  try {
    return validate(value) ? null : describe(validate.errors ?? []);
  } catch {
    // A schema that refers to itself without end, or arguments nested without end: the stack is full.
    return 'the arguments cannot be checked: they or the schema of this tool are nested without end';
  }
}

function describe(errors: readonly ErrorObject[]): string {
  const told = errors.slice(0, MAX_PROBLEMS).map((error) => {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer);
    return describeProblem(path, `${error.message ?? 'is not valid'}${detail(error)}`);
  });
  const more = errors.length - told.length;
  return more > 0 ? `${told.join('; ')}; and ${more} more` : told.join('; ');
}

const unescapePointer = (segment: string): string =>
  segment.replaceAll('~1', '/').replaceAll('~0', '~');

function detail({ keyword, params }: ErrorObject): string {
  if (keyword === 'additionalProperties') return ` (${String(params['additionalProperty'])})`;
  if (keyword === 'enum') return ` (${JSON.stringify(params['allowedValues']).slice(0, 300)})`;
  if (keyword === 'const') return ` (${JSON.stringify(params['allowedValue']).slice(0, 300)})`;
  return '';
}

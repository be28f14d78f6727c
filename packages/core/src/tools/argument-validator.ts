import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type { LRUCache } from 'lru-cache';
import { sha256 } from '../internal/digest.ts';
import type { JsonObject } from '../internal/json.ts';

/** Says what is wrong with a value, for the model to read; `null` when nothing is. */
type SchemaCheck = (value: unknown) => string | null;

/**
 * Who wrote a schema. The patterns of a `server` are not evaluated: a regular expression can take hours, and the server
 * checks its own arguments anyway.
 */
export type SchemaAuthor = 'host' | 'server';

interface Compilers {
  readonly compile: (schema: JsonObject, author: SchemaAuthor) => SchemaCheck;
  readonly cache: LRUCache<string, SchemaCheck>;
}

/** Compiled schemas kept, over all tools of the process: enough for the largest catalogues we know. */
const MAX_COMPILED = 2_000;
/** Problems told to the model at once. */
const MAX_PROBLEMS = 5;

let loading: Promise<Compilers> | undefined;

/**
 * A check for one schema, compiled when it is first used; equal schemas are compiled once. Never throws: a schema that
 * cannot be compiled (a remote `$ref`, an unknown type) refuses every value and says why.
 */
export function schemaCheck(
  schema: JsonObject,
  author: SchemaAuthor,
): (value: unknown) => Promise<string | null> {
  let compiled: Promise<SchemaCheck> | undefined;
  return async (value) => {
    compiled ??= compile(schema, author);
    return (await compiled)(value);
  };
}

async function compile(schema: JsonObject, author: SchemaAuthor): Promise<SchemaCheck> {
  loading ??= loadCompilers();
  const { compile: fresh, cache } = await loading;
  const key = `${author}:${sha256(JSON.stringify(schema))}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const check = fresh(schema, author);
  cache.set(key, check);
  return check;
}

async function loadCompilers(): Promise<Compilers> {
  const [{ Ajv }, { Ajv2020 }, formats, lru] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
    import('lru-cache'),
  ]);
  // Compiling a meta-schema takes longer than all tools of a host together: only strangers' schemas are held to it.
  const metaSchemas = new Map<Dialect, Ajv>();
  const problem = (dialect: Dialect, schema: JsonObject): string | null => {
    const known = metaSchemas.get(dialect);
    const meta = known ?? (dialect === '2020-12' ? new Ajv2020(QUIET) : new Ajv(QUIET));
    metaSchemas.set(dialect, meta);
    return meta.validateSchema(schema) === true ? null : meta.errorsText();
  };
  // One instance a schema (0.5 ms): in a shared one their ids would meet, and nothing of them would ever be freed.
  const compiler = (dialect: Dialect, author: SchemaAuthor): Ajv => {
    const ajv = dialect === '2020-12' ? new Ajv2020(options(author)) : new Ajv(options(author));
    formats.default.default(ajv);
    if (author === 'server') ajv.removeKeyword('pattern').removeKeyword('patternProperties');
    return ajv;
  };
  return {
    cache: new lru.LRUCache({ max: MAX_COMPILED }),
    compile(schema, author) {
      const dialect = dialectOf(schema);
      // The dialect is chosen here; an unknown `$schema` would be looked up as a remote reference.
      const { $schema: _dialect, ...bare } = schema;
      const invalid = author === 'server' ? problem(dialect, bare) : null;
      return invalid === null ? compileWith(compiler(dialect, author), bare) : unusable(invalid);
    },
  };
}

type Dialect = 'draft-07' | '2020-12';

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

/** A problem with its place, such as `items[0].price: must be number`. */
export function describeProblem(path: readonly PropertyKey[], message: string): string {
  let place = '';
  for (const segment of path) {
    const name = String(segment);
    if (/^\d+$/.test(name)) place += `[${name}]`;
    else place += place === '' ? name : `.${name}`;
  }
  return `${place === '' ? 'arguments' : place}: ${message}`;
}

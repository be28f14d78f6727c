import { isRecord, type Json, type JsonObject } from '../internal/json.ts';

/** A JSON Schema may be this long as JSON text. The longest of 430 published MCP tools has 12 KiB. */
const MAX_SCHEMA_CHARACTERS = 256 * 1024;
/** And this long once its local references are followed: ten lines can double themselves thirty times. */
const MAX_EXPANDED_NODES = 100_000;
/** References by anchor or id, which are not followed here. */
const MAX_NAMED_REFERENCES = 16;
/** And this deep: deeper ones overflow the stack of whoever compiles them. */
const MAX_SCHEMA_DEPTH = 64;

/**
 * A detached copy of a schema as plain JSON. Throws a `TypeError` that says why when it is not an object, is cyclic, too
 * deep or too long: schemas come from servers too.
 */
export function boundedSchema(schema: unknown): JsonObject {
  if (!isRecord(schema)) throw new TypeError('is not a JSON Schema object');
  if (!fitsDepth(schema, MAX_SCHEMA_DEPTH)) {
    throw new TypeError(`is cyclic or deeper than ${MAX_SCHEMA_DEPTH} levels`);
  }
  const text = JSON.stringify(schema);
  if (text.length > MAX_SCHEMA_CHARACTERS) {
    throw new TypeError(`has ${text.length} characters, more than ${MAX_SCHEMA_CHARACTERS}`);
  }
  const copy = JSON.parse(text, (_key, value: unknown) => withoutDraft04(value)) as JsonObject;
  if (text.includes('Ref"') || text.includes('"$ref"')) checkReferences(copy);
  return copy;
}

function checkReferences(root: JsonObject): void {
  const sizes = new Map<string, number>();
  let named = 0;
  const sizeAt = (reference: string): number => {
    const known = sizes.get(reference);
    if (known !== undefined) return known;
    // A reference into itself follows the data, which is finite.
    sizes.set(reference, 1);
    const size = sizeOf(resolvePointer(root, reference));
    sizes.set(reference, size);
    return size;
  };
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    let size = 1;
    for (const [key, member] of Object.entries(value)) {
      const isReference =
        typeof member === 'string' && /^\$(ref|dynamicRef|recursiveRef)$/.test(key);
      if (!isReference) size += sizeOf(member);
      else if (member === '#' || member.startsWith('#/')) size += sizeAt(member);
      else named += 1;
    }
    return size;
  };
  if (sizeOf(root) > MAX_EXPANDED_NODES || named > MAX_NAMED_REFERENCES) {
    throw new TypeError('is too large once its references are followed');
  }
}

function resolvePointer(root: JsonObject, reference: string): unknown {
  let at: unknown = root;
  for (const segment of reference.split('/').slice(1)) {
    const key = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}

/** Some published tools still say `exclusiveMinimum: true`, which later drafts and the model APIs do not take. */
function withoutDraft04(value: unknown): unknown {
  if (!isRecord(value)) return value;
  for (const [exclusive, inclusive] of BOUNDS) {
    const said = value[exclusive];
    if (typeof said !== 'boolean') continue;
    delete value[exclusive];
    if (said && typeof value[inclusive] === 'number') {
      value[exclusive] = value[inclusive];
      delete value[inclusive];
    }
  }
  return value;
}

const BOUNDS = [
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
] as const;

function fitsDepth(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((member) => fitsDepth(member, left - 1));
}

/** Keywords that the model APIs refuse at the root of a tool's parameters; one such tool would fail the whole request. */
const REFUSED_AT_ROOT: ReadonlySet<string> = new Set([
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'enum',
  '$schema',
]);

/** The schema as the model is told it: the root is an object with `properties`. Arguments are checked against the whole. */
export function modelParameters(schema: JsonObject): JsonObject {
  const kept: Record<string, Json | undefined> = { type: 'object', properties: {} };
  for (const [key, value] of Object.entries(schema)) {
    if (!REFUSED_AT_ROOT.has(key)) kept[key] = value;
  }
  return kept;
}

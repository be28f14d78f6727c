import { isRecord } from '../../internal/json.ts';

/** A JSON Schema, read loosely. */
export type Schema = Readonly<Record<string, unknown>>;

/** One parameter of a tool, or member of an answer. */
export interface Property {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** The members of an object schema; `root` is what its `$ref`s point into. */
export function propertiesOf(schema: Schema, root: Schema = schema): Property[] {
  const whole = resolved(schema, root);
  const members = whole['properties'];
  const required = Array.isArray(whole['required']) ? whole['required'] : [];
  if (!isRecord(members)) return [];
  return Object.entries(members).map(([name, member]) => ({
    name,
    schema: resolved(member, root),
    required: required.includes(name),
  }));
}

/** Follows `$ref` and takes the first way of `anyOf`, `oneOf` and `allOf` that is not null. */
export function resolved(schema: unknown, root: Schema, depth = 0): Schema {
  if (!isRecord(schema) || depth > 8) return {};
  if (typeof schema['$ref'] === 'string')
    return resolved(pointed(schema['$ref'], root), root, depth + 1);
  const all = schema['allOf'];
  if (Array.isArray(all)) {
    return Object.assign({}, ...all.map((part) => resolved(part, root, depth + 1)), {
      ...schema,
      allOf: undefined,
    });
  }
  const ways = schema['anyOf'] ?? schema['oneOf'];
  if (!Array.isArray(ways)) return schema;
  const way = ways.find((candidate) => isRecord(candidate) && candidate['type'] !== 'null');
  const { anyOf: _any, oneOf: _one, ...own } = schema;
  return { ...own, ...resolved(way, root, depth + 1) };
}

/** The schema's type; the first that is not null where it has several, `object` where it has members. */
export function typeOf(schema: Schema): string {
  const type = schema['type'];
  if (Array.isArray(type)) return String(type.find((one) => one !== 'null') ?? 'null');
  if (typeof type === 'string') return type;
  return isRecord(schema['properties']) ? 'object' : 'string';
}

function pointed(ref: string, root: Schema): unknown {
  let at: unknown = root;
  for (const step of ref.replace(/^#\/?/, '').split('/')) {
    if (step !== '')
      at = isRecord(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return at;
}

/** A value as a person would say it; nothing for nothing. */
export function plainly(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

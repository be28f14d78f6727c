import { isRecord, type Json } from '../../internal/json.ts';
import { propertiesOf, resolved, type Schema, typeOf } from './properties.ts';

/** Values of formats, so that a validator accepts them. */
const formats: Readonly<Record<string, string>> = {
  date: '2030-01-01',
  'date-time': '2030-01-01T12:00:00Z',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'demo@example.com',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '127.0.0.1',
  ipv6: '::1',
  hostname: 'example.com',
};

/**
 * A value that fits a JSON Schema: `known` where it has a member of that name, otherwise the simplest that is right.
 * `text` fills strings. Patterns are beyond it.
 */
export function instanceOf(
  schema: unknown,
  { root, known, text }: { root: Schema; known: Readonly<Record<string, Json>>; text: string },
  depth = 0,
): Json {
  const whole = resolved(schema, root);
  const fixed =
    whole['const'] ??
    (Array.isArray(whole['enum']) ? whole['enum'][0] : undefined) ??
    whole['default'];
  if (fixed !== undefined) return fixed as Json;
  const inside = (part: unknown, name = ''): Json => {
    const value = known[name];
    return value !== undefined && isWithin(resolved(part, root), value)
      ? value
      : instanceOf(part, { root, known: {}, text }, depth + 1);
  };
  const make = makers[typeOf(whole)] ?? (() => stringOf(whole, text));
  return make({ schema: whole, root, depth, inside });
}

/** Whether a value keeps the bounds of its schema: how large, how long, how many. */
export function isWithin(schema: Schema, value: Json): boolean {
  const size =
    typeof value === 'number'
      ? value
      : typeof value === 'string' || Array.isArray(value)
        ? value.length
        : 0;
  const [least, most] = boundNames[typeof value] ?? ['minItems', 'maxItems'];
  const bound = (name: string, otherwise: number) =>
    typeof schema[name] === 'number' ? schema[name] : otherwise;
  return (
    size >= bound(least, Number.NEGATIVE_INFINITY) &&
    size <= bound(most, Number.POSITIVE_INFINITY) &&
    size > bound('exclusiveMinimum', Number.NEGATIVE_INFINITY) &&
    size < bound('exclusiveMaximum', Number.POSITIVE_INFINITY)
  );
}

const boundNames: Readonly<Record<string, readonly [string, string]>> = {
  number: ['minimum', 'maximum'],
  string: ['minLength', 'maxLength'],
};

interface Making {
  readonly schema: Schema;
  readonly root: Schema;
  readonly depth: number;
  readonly inside: Inside;
}

const makers: Readonly<Record<string, (making: Making) => Json>> = {
  object: objectOf,
  array: arrayOf,
  integer: numberOf,
  number: numberOf,
  boolean: () => true,
  null: () => null,
};

type Inside = (part: unknown, name?: string) => Json;

function objectOf({ schema, root, inside }: Making): Json {
  const members = propertiesOf(schema, root).filter(({ required }) => required);
  return Object.fromEntries(
    members.map(({ name, schema: member }) => [name, inside(member, name)]),
  );
}

function arrayOf({ schema, depth, inside }: Making): Json {
  if (Array.isArray(schema['prefixItems']))
    return schema['prefixItems'].map((item) => inside(item));
  const least = Number(schema['minItems'] ?? 0);
  // One item shows what the list is for; deep down an empty one ends the recursion of a schema.
  const length = Math.max(least, depth < 4 && schema['maxItems'] !== 0 ? 1 : 0);
  return Array.from({ length }, () => inside(isRecord(schema['items']) ? schema['items'] : {}));
}

function numberOf({ schema }: Making): number {
  const bound = (name: string) =>
    typeof schema[name] === 'number' ? (schema[name] as number) : undefined;
  const step = bound('multipleOf') ?? 1;
  const above = bound('exclusiveMinimum');
  const low = above !== undefined ? above + step : bound('minimum');
  const below = bound('exclusiveMaximum');
  const high = below !== undefined ? below - step : bound('maximum');
  const value = Math.min(Math.max(step, low ?? step), high ?? Number.POSITIVE_INFINITY);
  return Math.max(Math.ceil(value / step) * step, low ?? Number.NEGATIVE_INFINITY);
}

function stringOf(schema: Schema, text: string): string {
  const format = formats[String(schema['format'])];
  if (format) return format;
  const least = Number(schema['minLength'] ?? 0);
  const most = Number(schema['maxLength'] ?? 500);
  return (text || 'demo').padEnd(least, '.').slice(0, most);
}

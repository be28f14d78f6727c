import type { Json } from '../../internal/json.ts';
import type { ToolDefinition } from '../model-client.ts';
import { type ArgumentKind, byTellingness } from './argument-kinds.ts';
import { isPronoun, MessageReader } from './message-reader.ts';
import {
  type Property,
  plainly,
  propertiesOf,
  resolved,
  type Schema,
  typeOf,
} from './properties.ts';
import { isWithin } from './schema-instance.ts';
import { calculationIn } from './spans.ts';
import { shortName, wordsOf } from './words.ts';

type Arguments = Record<string, Json>;

/** What an earlier step of the same message found; what "it" points at. */
export interface EarlierResult {
  readonly tool: string;
  readonly content: string;
}

/** The arguments that a message gives for a tool. */
export interface Extraction {
  readonly args: Readonly<Arguments>;
  /** Required parameters without a value. */
  readonly missing: readonly Property[];
  /** More calls of the same tool: "read a.md and b.md". */
  readonly more: readonly Readonly<Arguments>[];
}

interface Reading {
  readonly reader: MessageReader;
  readonly tool: ToolDefinition;
  readonly earlier: EarlierResult | undefined;
  /** Objects around the one that is read; schemas may be recursive. */
  readonly depth: number;
}

/** Reads the arguments for a tool out of a message. */
export function extractArguments(
  tool: ToolDefinition,
  text: string,
  earlier?: EarlierResult,
): Extraction {
  const properties = propertiesOf(tool.parameters);
  const reader = new MessageReader(
    text,
    tool,
    properties.map(({ name }) => name),
  );
  const reading = { reader, tool, earlier, depth: 0 };
  const found = readMembers(properties, reading);
  return { ...found, more: spread(found.args, reading) };
}

function readMembers(properties: readonly Property[], reading: Reading): Omit<Extraction, 'more'> {
  const values = new Map<string, Json>();
  const required = byTellingness(
    properties.filter((property) => property.required),
    reading.tool,
  );
  // What is named is taken first, so that what is not named takes only what is left.
  const named = required.filter(({ kind }) => kind === 'text' || kind === 'title');
  for (const { property } of named)
    keep(values, property, reading.reader.takeLabelled(property.name));
  for (const { property, kind } of required) {
    if (!values.has(property.name)) keep(values, property, requiredValue(property, kind, reading));
  }
  for (const { property, kind } of required) {
    if (kind === 'title' && !values.has(property.name))
      keep(values, property, titleFor(values, reading));
  }
  const optional = properties.filter((property) => !property.required);
  for (const { property, kind } of byTellingness(optional, reading.tool)) {
    keep(values, property, optionalValue(property, kind, reading));
  }
  const ordered = properties.filter(({ name }) => values.has(name));
  return {
    args: Object.fromEntries(ordered.map(({ name }) => [name, values.get(name) as Json])),
    missing: required
      .map(({ property }) => property)
      .filter(({ name, schema }) => !values.has(name) && schema['default'] === undefined),
  };
}

function keep(values: Map<string, Json>, { name }: Property, value: Json | undefined): void {
  if (value !== undefined && value !== '') values.set(name, value);
}

const readers: Readonly<
  Record<ArgumentKind, (property: Property, reading: Reading) => Json | undefined>
> = {
  enum: ({ schema }, { reader }) => enumValue(schema, reader.text),
  boolean: (property, { reader }) => flag(property, reader.text) ?? false,
  number: ({ name, schema }, { reader }) =>
    number(schema, reader.takeNumber(name) ?? reader.take('number')),
  email: (_, { reader }) => reader.take('email'),
  url: (_, { reader }) => reader.take('url'),
  path: pathValue,
  date: ({ schema }, { reader }) =>
    reader.take('date') ??
    (schema['format'] ? undefined : reader.text.match(/\b(?:today|tomorrow|\w+day)\b/i)?.[0]),
  calculation: (_, { reader }) =>
    calculationIn(reader.text) ?? reader.take('quoted') ?? reader.topic(),
  place: (_, { reader }) => reader.take('quoted') ?? reader.places()[0],
  topic: topicValue,
  title: (_, { reader }) => reader.take('quoted'),
  text: textValue,
  array: arrayValue,
  object: ({ schema }, reading) => objectValue(schema, reading),
};

function requiredValue(property: Property, kind: ArgumentKind, reading: Reading): Json | undefined {
  if ('const' in property.schema) return property.schema['const'] as Json;
  return readers[kind](property, reading);
}

/** Optional parameters are set only where the message clearly does. */
function optionalValue(
  property: Property,
  kind: ArgumentKind,
  { reader }: Reading,
): Json | undefined {
  if (kind === 'enum') return enumValue(property.schema, reader.text);
  if (kind === 'boolean') return flag(property, reader.text);
  if (kind === 'number') return number(property.schema, reader.takeNumber(property.name));
  if (kind === 'place') return reader.namedPlaces()[0];
  if (kind === 'array' || kind === 'object') return undefined;
  return reader.text.match(
    new RegExp(`\\b${wordsOf(property.name).join('[\\s_-]?')}\\b\\s*[:="“]`, 'i'),
  )
    ? reader.takeLabelled(property.name)
    : undefined;
}

function enumValue(schema: Schema, text: string): Json | undefined {
  const values = Array.isArray(schema['enum']) ? (schema['enum'] as readonly Json[]) : [];
  const said = ` ${wordsOf(text).join(' ')} `;
  return values.find((value) => said.includes(` ${wordsOf(plainly(value)).join(' ')} `));
}

function flag({ name }: Property, text: string): boolean | undefined {
  const said = text.match(
    new RegExp(`(\\b(?:not|no|without|non)[\\s-]+)?\\b${wordsOf(name).join('[\\s_-]?')}`, 'i'),
  );
  return said ? said[1] === undefined : undefined;
}

function number(schema: Schema, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text.replaceAll(',', ''));
  const whole = typeOf(schema) === 'integer' ? Math.round(value) : value;
  return isWithin(schema, whole) ? whole : undefined;
}

function pathValue(property: Property, { reader, tool }: Reading): string | undefined {
  const given = reader.take('path') ?? reader.take('quoted');
  if (given) return given;
  const named =
    reader.text.match(
      /\b(?:folder|directory|dir|file)\s+(?:(?:named|called)\s+)?([\w-]{2,})/i,
    )?.[1] ?? reader.text.match(/\b(?:named|called)\s+([\w.-]+\w)/i)?.[1];
  if (
    named &&
    !/^(?:in|of|with|and|to|is|are|do|from|here|there|named|called|structure|tree|list|for|about|matching)$/i.test(
      named,
    )
  )
    return named;
  // Only what looks around may start where it is.
  const looks =
    /list|tree|search|find|browse/i.test(tool.name) &&
    !/destination|target|dest/i.test(property.name);
  return looks ? '.' : undefined;
}

function topicValue({ schema }: Property, { reader, tool }: Reading): string | undefined {
  const text = reader.take('glob') ?? reader.take('quoted') ?? reader.topic();
  const wantsGlob = /glob/i.test(`${tool.description} ${plainly(schema['description'])}`);
  if (!wantsGlob || !text || text.includes('*')) return text;
  return `**/*${text.split(' ').at(-1)}*`;
}

function textValue({ name }: Property, { reader, earlier }: Reading): string | undefined {
  const isName = wordsOf(name).includes('name');
  const given =
    reader.take('quoted') ?? (isName ? reader.properName() : undefined) ?? reader.topic();
  if (!earlier) return given;
  return given === '' || isPronoun(given) ? earlier.content.slice(0, 4_000) : given;
}

/** A title that nobody gave: where it comes from, or how its text begins. */
function titleFor(values: ReadonlyMap<string, Json>, { reader, earlier }: Reading): string {
  if (earlier) return `Result of ${shortName(earlier.tool)}`;
  const text = [...values.values()].findLast(
    (value) => typeof value === 'string' && value.includes(' '),
  );
  return text === undefined && values.size === 0
    ? reader.topic()
    : plainly(text).split(' ').slice(0, 6).join(' ');
}

function arrayValue(property: Property, reading: Reading): Json | undefined {
  const items = resolved(property.schema['items'], reading.tool.parameters);
  if (typeOf(items) === 'object') {
    const item = objectValue(items, reading);
    return item && [item];
  }
  const { reader } = reading;
  if (typeOf(items) !== 'string') {
    const numbers = reader.takeAll('number').map(Number);
    return numbers.length > 0 ? numbers : undefined;
  }
  const values = reader.takeAll('email', 'url', 'path', 'quoted');
  const listed =
    values.length > 0
      ? values
      : reader
          .topic()
          .split(/,|\sand\s/)
          .map((part) => part.trim());
  const some = listed.filter((value) => value !== '');
  return some.length > 0 ? some : undefined;
}

function objectValue(schema: Schema, reading: Reading): Arguments | undefined {
  if (reading.depth > 3) return undefined;
  const members = propertiesOf(schema, reading.tool.parameters);
  const { args, missing } = readMembers(members, { ...reading, depth: reading.depth + 1 });
  return missing.length === 0 ? args : undefined;
}

/** Calls of the same tool for what else of the kind was named. */
function spread(args: Readonly<Arguments>, { reader, tool }: Reading): Arguments[] {
  const required = byTellingness(
    propertiesOf(tool.parameters).filter((p) => p.required),
    tool,
  );
  const only = required.length === 1 ? required[0] : undefined;
  if (!only || args[only.property.name] === undefined) return [];
  const others: Partial<Record<ArgumentKind, () => readonly string[]>> = {
    path: () => reader.takeAll('path'),
    url: () => reader.takeAll('url'),
    place: () => reader.places().slice(1),
  };
  const more = others[only.kind]?.() ?? [];
  return more.slice(0, 9).map((value) => ({ ...args, [only.property.name]: value }));
}

import type { ToolDefinition } from '../model-client.ts';
import { type Property, typeOf } from './properties.ts';
import { wordsOf } from './words.ts';

/** What a parameter wants, as far as its schema and its name tell. */
export type ArgumentKind =
  | 'enum'
  | 'boolean'
  | 'number'
  | 'array'
  | 'object'
  | 'email'
  | 'url'
  | 'path'
  | 'date'
  | 'calculation'
  | 'place'
  | 'topic'
  | 'title'
  | 'text';

/** The more telling a kind, the earlier it takes its piece of the message. */
const order: readonly ArgumentKind[] = [
  'enum',
  'email',
  'url',
  'path',
  'date',
  'calculation',
  'number',
  'boolean',
  'object',
  'array',
  'text',
  'place',
  'topic',
];

const byFormat: Readonly<Record<string, ArgumentKind>> = {
  email: 'email',
  uri: 'url',
  url: 'url',
  date: 'date',
  'date-time': 'date',
};

const byType: Readonly<Record<string, ArgumentKind>> = {
  boolean: 'boolean',
  number: 'number',
  integer: 'number',
  array: 'array',
  object: 'object',
};

const byName: readonly (readonly [ArgumentKind, string])[] = [
  ['email', 'email recipient recipients cc bcc'],
  ['url', 'url uri link href website'],
  ['path', 'path paths file files filename filepath folder directory dir'],
  ['date', 'date day deadline due'],
  ['calculation', 'expression formula calculation equation'],
  ['place', 'city location place country town region timezone zone'],
  ['title', 'subject title headline'],
  ['topic', 'query q search term terms keyword keywords pattern topic question'],
];

/** Guesses what a parameter of a tool wants. */
export function kindOf({ name, schema }: Property, tool: ToolDefinition): ArgumentKind {
  if (Array.isArray(schema['enum']) || 'const' in schema) return 'enum';
  const known = byType[typeOf(schema)] ?? byFormat[String(schema['format'])];
  if (known) return known;
  const words = wordsOf(name);
  const named = byName.find(([, names]) =>
    words.some((word) => names.split(' ').includes(word)),
  )?.[0];
  return named ?? byTool(words, tool) ?? 'text';
}

/** `to` is an address where mail is sent, `source` a path where files are moved. */
function byTool(words: readonly string[], tool: ToolDefinition): ArgumentKind | undefined {
  const about = `${tool.name} ${tool.description}`;
  if (words.some((word) => word === 'to' || word === 'from') && /mail/i.test(about)) return 'email';
  const isEnd = words.some((word) =>
    ['source', 'destination', 'src', 'dest', 'target'].includes(word),
  );
  return isEnd && /file|path|director/i.test(about) ? 'path' : undefined;
}

/** Parameters in the order in which they take their pieces; of one kind, in the schema's order. */
export function byTellingness(
  properties: readonly Property[],
  tool: ToolDefinition,
): { readonly property: Property; readonly kind: ArgumentKind }[] {
  return properties
    .map((property) => ({ property, kind: kindOf(property, tool) }))
    .sort((a, b) => rank(a.kind) - rank(b.kind));
}

/** Titles and texts take what is quoted in the order of the schema. */
function rank(kind: ArgumentKind): number {
  return order.indexOf(kind === 'title' ? 'text' : kind);
}

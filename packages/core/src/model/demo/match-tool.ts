import type { ToolDefinition } from '../model-client.ts';
import { extractArguments } from './extract-arguments.ts';
import { plainly, propertiesOf } from './properties.ts';
import { calculationIn, type Span, spansOf, withoutSpans } from './spans.ts';
import { likeness, shortName, stem, stemsOf, wordsOf } from './words.ts';

/** A tool that fits what was said, and how well. */
export interface Match {
  readonly tool: ToolDefinition;
  readonly score: number;
}

/** Verbs of tool names that say nothing: `get_weather` is about weather. */
const weakNameWords = new Set('get fetch do tool api current the a of with lookup'.split(' '));

const enough = 2.5;

/** The tools that fit a text, the best first. */
export function matchTools(text: string, tools: readonly ToolDefinition[]): Match[] {
  const stems = askedStems(text);
  const named = new Map<string, number>();
  for (const tool of tools) {
    for (const word of new Set(nameStems(tool))) named.set(word, (named.get(word) ?? 0) + 1);
  }
  return tools
    .map((tool) => ({ tool, score: scoreOf(tool, { text, stems, named }) }))
    .filter(({ score }) => score >= enough)
    .sort((a, b) => b.score - a.score);
}

interface Asked {
  readonly text: string;
  /** Stems that were said, with 1, and those that values imply (a path: file), with less. */
  readonly stems: ReadonlyMap<string, number>;
  /** In how many tools' names a stem is. */
  readonly named: ReadonlyMap<string, number>;
}

function scoreOf(tool: ToolDefinition, asked: Asked): number {
  if (asked.text.includes(tool.name)) return 100;
  const name = nameStems(tool);
  const fits = name.map((word) => best(word, asked.stems));
  const covered = fits.filter((fit) => fit > 0.3).length / name.length;
  const [first = '', ...rest] = tool.description.split(/(?<=\.)\s/);
  const bySubject = overlap(first, asked) >= 2.5;
  if (!bySubject && !fitsName(tool, { name, fits, covered }, asked)) return 0;
  const rarity = (word: string) => 1 / (1 + Math.log2(asked.named.get(word) ?? 1) / 3);
  const nameScore = name.reduce((sum, word, i) => sum + 3 * (fits[i] ?? 0) * rarity(word), 0);
  const verb = name.length > 1 && !opensWith(name, asked) ? verbScore(fits[0] ?? 0) : 0;
  const words = propertiesOf(tool.parameters).map(({ name: parameter, schema }) =>
    [parameter, ...enumOf(schema)].join(' '),
  );
  const described =
    overlap(first, asked) +
    0.3 * overlap(rest.join(' '), asked) +
    0.7 * overlap(words.join(' '), asked);
  const score = nameScore + 2 * covered + described + verb;
  return /\bdeprecated\b/i.test(tool.description) ? score / 2 : score;
}

interface NameFit {
  readonly name: readonly string[];
  /** For each word of the name, how well it was said, 0 to 1. */
  readonly fits: readonly number[];
  /** The part of the name that was said. */
  readonly covered: number;
}

/** Whether enough of a tool's name was said to mean it. */
function fitsName(tool: ToolDefinition, { name, fits, covered }: NameFit, asked: Asked): boolean {
  const said = [...asked.stems].filter(([, weight]) => weight === 1).map(([word]) => word);
  if (!name.some((word) => said.some((other) => likeness(word, other) > 0))) return false;
  if (covered > 0.5) return true;
  if (covered < 0.5) return false;
  // "Email Ada ..." for `send_email`; or half of the name in its own words, and everything that it needs.
  if (opensWith(name, asked)) return true;
  return fits.includes(1) && extractArguments(tool, asked.text).missing.length === 0;
}

/** Whether the message begins with what the tool is about, and so needs no verb. */
function opensWith(name: readonly string[], { stems }: Asked): boolean {
  const [first = ''] = stems.keys();
  return likeness(name.at(-1) ?? '', first) > 0;
}

/** Names begin with their verb: `write_file` is not meant by who wants to read. */
function verbScore(fit: number): number {
  if (fit === 0) return -2.5;
  return fit === 1 ? 2 : 0;
}

function nameStems({ name }: ToolDefinition): string[] {
  const own = wordsOf(shortName(name));
  const telling = own.filter((word) => !weakNameWords.has(word));
  return (telling.length > 0 ? telling : own).map(stem);
}

function enumOf(schema: Readonly<Record<string, unknown>>): readonly string[] {
  const values = schema['enum'];
  return Array.isArray(values) ? values.map(plainly) : [];
}

function best(word: string, asked: ReadonlyMap<string, number>): number {
  return Math.max(0, ...[...asked].map(([other, weight]) => likeness(word, other) * weight));
}

function overlap(text: string, asked: Asked): number {
  const stems = stemsOf(text);
  return [...asked.stems].reduce((sum, [word, weight]) => sum + (stems.has(word) ? weight : 0), 0);
}

function askedStems(text: string): Map<string, number> {
  const spans = spansOf(text);
  const implied = spans.flatMap(impliedWords);
  // "Which files are there?" wants a list.
  if (/\b(?:what|which|how many)\b/i.test(text)) implied.push('list');
  if (/\bwhat\b.*\bsays?\b/i.test(text)) implied.push('read');
  const plain = withoutSpans(
    text,
    spans.filter(({ kind }) => kind !== 'number'),
  );
  // In the order of the message: what comes first tells most.
  const asked = new Map([...stemsOf(plain)].map((word) => [word, 1]));
  if (calculationIn(text)) asked.set(stem('calculate'), 1);
  for (const word of implied.map(stem)) if (!asked.has(word)) asked.set(word, 0.5);
  return asked;
}

const textEndings = /\.(?:md|txt|csv|json|ya?ml|html?|log|xml|[jt]sx?|py|toml|ini)$/i;
const mediaEndings = /\.(?:png|jpe?g|gif|webp|svg|mp3|wav|ogg|mp4|pdf)$/i;

/** What a value says of the subject: who gives an e-mail address talks of e-mail. */
function impliedWords({ kind, text }: Span): readonly string[] {
  if (kind === 'email') return ['email'];
  if (kind === 'url') return ['url', 'page', 'web'];
  if (kind === 'glob') return ['file', 'search'];
  if (kind !== 'path' && kind !== 'quoted') return [];
  if (textEndings.test(text)) return ['file', 'text'];
  if (mediaEndings.test(text)) return ['file', 'media', 'image'];
  return kind === 'path' ? ['path', 'directory'] : [];
}

import type { ToolDefinition } from '../model-client.ts';
import { propertiesOf } from './properties.ts';
import { calculationIn, type Span, spansOf } from './spans.ts';
import { likeness, stem, stemsOf, wordsOf } from './words.ts';

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
  const asked = askedStems(text);
  const named = new Map<string, number>();
  for (const tool of tools) {
    for (const word of new Set(nameStems(tool))) named.set(word, (named.get(word) ?? 0) + 1);
  }
  return tools
    .map((tool) => ({ tool, score: scoreOf(tool, { text, asked, named }) }))
    .filter(({ score }) => score >= enough)
    .sort((a, b) => b.score - a.score);
}

interface Asked {
  /** Stems that were said, with 1, and those that values imply (a path: file), with less. */
  readonly asked: ReadonlyMap<string, number>;
  readonly text: string;
  /** In how many tools' names a stem is. */
  readonly named: ReadonlyMap<string, number>;
}

function scoreOf(tool: ToolDefinition, { text, asked, named }: Asked): number {
  if (text.includes(tool.name)) return 100;
  const name = nameStems(tool);
  const fits = name.map((word) => best(word, asked));
  const covered = fits.filter((fit) => fit > 0.4).length / Math.max(1, name.length);
  const said = name.some((word) =>
    [...asked].some(([other, weight]) => weight === 1 && likeness(word, other) > 0),
  );
  const rarity = (word: string) => 1 / (1 + Math.log2(named.get(word) ?? 1) / 3);
  const nameScore = name.reduce((sum, word, i) => sum + 3 * (fits[i] ?? 0) * rarity(word), 0);
  const [first = '', ...rest] = tool.description.split(/(?<=\.)\s/);
  const parameters = propertiesOf(tool.parameters);
  const words = parameters.map(({ name: parameter, schema }) =>
    [parameter, ...enumOf(schema)].join(' '),
  );
  const score =
    nameScore +
    2 * covered +
    overlap(first, asked) +
    0.3 * overlap(rest.join(' '), asked) +
    0.7 * overlap(words.join(' '), asked);
  const fitsWell = covered > 0.5 || (covered === 0.5 && spareless(parameters, text));
  const bySubject = overlap(first, asked) >= 2.5;
  if (!(said && fitsWell) && !bySubject) return 0;
  return /\bdeprecated\b/i.test(tool.description) ? score / 2 : score;
}

/** Whether a text has a value that stands out for each required parameter. */
function spareless(parameters: ReturnType<typeof propertiesOf>, text: string): boolean {
  return spansOf(text).length >= parameters.filter(({ required }) => required).length;
}

function nameStems({ name }: ToolDefinition): string[] {
  const own = wordsOf(name.split('__').at(-1) ?? name);
  const telling = own.filter((word) => !weakNameWords.has(word));
  return (telling.length > 0 ? telling : own).map(stem);
}

function enumOf(schema: Readonly<Record<string, unknown>>): readonly string[] {
  const values = schema['enum'];
  return Array.isArray(values) ? values.map(String) : [];
}

function best(word: string, asked: ReadonlyMap<string, number>): number {
  return Math.max(0, ...[...asked].map(([other, weight]) => likeness(word, other) * weight));
}

function overlap(text: string, asked: ReadonlyMap<string, number>): number {
  const stems = stemsOf(text);
  return [...asked].reduce((sum, [word, weight]) => sum + (stems.has(word) ? weight : 0), 0);
}

function askedStems(text: string): Map<string, number> {
  const spans = spansOf(text);
  const implied = spans.flatMap(impliedWords);
  if (calculationIn(text)) implied.push('calculate');
  const asked = new Map(implied.map((word) => [stem(word), 0.7]));
  const plain = spans
    .filter(({ kind }) => kind !== 'number')
    .reduceRight((rest, { start, end }) => `${rest.slice(0, start)} ${rest.slice(end)}`, text);
  for (const word of stemsOf(plain)) asked.set(word, 1);
  return asked;
}

const textEndings = /\.(?:md|txt|csv|json|ya?ml|html?|log|xml|[jt]sx?|py|toml|ini)$/i;
const mediaEndings = /\.(?:png|jpe?g|gif|webp|svg|mp3|wav|ogg|mp4|pdf)$/i;

/** What a value says of the subject: who gives an e-mail address talks of e-mail. */
function impliedWords({ kind, text }: Span): readonly string[] {
  if (kind === 'email') return ['email'];
  if (kind === 'url') return ['url', 'page', 'web'];
  if (kind === 'glob') return ['file', 'search'];
  if (kind !== 'path') return [];
  if (textEndings.test(text)) return ['file', 'text'];
  return mediaEndings.test(text) ? ['file', 'media', 'image'] : ['path', 'directory'];
}

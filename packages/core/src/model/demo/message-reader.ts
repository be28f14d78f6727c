import type { ToolDefinition } from '../model-client.ts';
import { type Span, type SpanKind, spansOf, withoutSpans } from './spans.ts';
import { isStopWord, likeness, stem, stemsOf, wordsOf } from './words.ts';

/** Other words that introduce the value of a parameter. */
const labelWords: Readonly<Record<string, string>> = {
  subject: 'about|titled',
  title: 'titled|called|named|about',
  name: 'named|called',
  body: 'saying|that says|message|text|content',
  message: 'saying|that says',
  content: 'saying|that says|containing|text',
  text: 'saying|that says|content',
  path: 'named|called',
};

/** Such words need no colon behind them. */
const introducing = /^(?:about|titled|called|named|saying|that says|containing)$/i;
const connectors =
  /^(?:[\s:,–-]|(?:to|that|for|about|of|in|on|with|at|from|named|called|saying|telling|him|her|them|the|a|an|me|my|is|it)\b)+/i;
const pronouns =
  /^(?:it|this|that|them|these|those|everything|the (?:results?|contents?|text|answer|list|summary|file))$/i;
const dayWords =
  /\b(?:today|tomorrow|tonight|yesterday|now|right now|currently|this week|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b/gi;

/** One user's message, from which pieces are taken until none is left. */
export class MessageReader {
  readonly text: string;
  readonly #tool: ToolDefinition;
  readonly #spans: readonly Span[];
  readonly #taken = new Set<Span>();
  /** Ranges that were taken and are no span. */
  readonly #ranges: Span[] = [];
  readonly #labels: string;

  constructor(text: string, tool: ToolDefinition, parameters: readonly string[]) {
    this.text = text;
    this.#tool = tool;
    this.#spans = spansOf(text);
    this.#labels = parameters.map(labelOf).join('|') || '\0';
  }

  /** Takes the first piece of one of these kinds that is left. */
  take(...kinds: readonly SpanKind[]): string | undefined {
    const span = this.#left().find(({ kind }) => kinds.includes(kind));
    if (span) this.#taken.add(span);
    return span?.text;
  }

  /** Takes all pieces of these kinds that are left. */
  takeAll(...kinds: readonly SpanKind[]): string[] {
    const texts: string[] = [];
    for (let text = this.take(...kinds); text !== undefined; text = this.take(...kinds))
      texts.push(text);
    return texts;
  }

  /** Takes what follows the parameter's name (`subject: Lunch`), or a word that introduces it (`about lunch`). */
  takeLabelled(parameter: string): string | undefined {
    const label = new RegExp(
      `(?<![\\p{L}\\p{N}])(${labelOf(parameter)})(\\s*[:=]\\s*|\\s+(?:is|of|as)\\s+|\\s+)`,
      'giu',
    );
    for (const found of withoutSpans(this.text, this.#quoted(), '\0').matchAll(label)) {
      const [whole, name = '', between = ''] = found;
      const start = found.index + whole.length;
      const quoted = this.#left().find((span) => span.kind === 'quoted' && span.start === start);
      if (quoted) {
        this.#taken.add(quoted);
        return quoted.text;
      }
      const value = this.#valueFrom(start);
      if (
        value &&
        (introducing.test(name) || between.trim() !== '' || this.#isValue(found.index, value))
      ) {
        return this.#takeRange(found.index, start, value);
      }
    }
    return undefined;
  }

  /** Takes a number that stands beside the parameter's name. */
  takeNumber(parameter: string): string | undefined {
    const beside = this.#left().find(
      ({ kind, start, end }) =>
        kind === 'number' &&
        stemsOf(
          `${this.text.slice(Math.max(0, start - 20), start)} ${this.text.slice(end, end + 20)}`,
        ).has(stem(parameter)),
    );
    if (beside) this.#taken.add(beside);
    return beside?.text;
  }

  /** What the message is about: the words behind the command that nobody has taken. */
  topic(): string {
    const left = withoutSpans(this.text, [...this.#taken, ...this.#ranges]);
    const words = [...left.matchAll(/[\p{L}\p{N}_'’-]+/gu)];
    const firstOther = words.findIndex(([word]) => !isStopWord(word) && !this.#isCommand(word));
    const leading = words.slice(0, firstOther < 0 ? words.length : firstOther);
    const command = leading.findLast(([word]) => this.#isCommand(word));
    const behind = command ? left.slice(command.index + command[0].length) : left;
    const topic = clean(behind);
    if (topic || firstOther < 0) return topic;
    return clean(
      words
        .filter(([word]) => !isStopWord(word) && !this.#isCommand(word))
        .map(([word]) => word)
        .join(' '),
    );
  }

  /** Places named behind `in` or `for`, or else what the message is about: `in Paris and Rome` are two. */
  places(): string[] {
    const named = this.namedPlaces();
    return named.length > 0 ? named : parts(this.topic().replace(dayWords, ' '));
  }

  /** A name: the longest run of words with a capital. */
  properName(): string | undefined {
    const left = withoutSpans(this.text, [...this.#taken, ...this.#ranges]);
    const runs = left.match(/\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*/gu) ?? [];
    const names = runs.filter((run) => !isStopWord(run) && !this.#isCommand(run));
    return names.toSorted((a, b) => b.length - a.length)[0];
  }

  /** Places named with a capital behind `in`, `for` and the like. */
  namedPlaces(): string[] {
    const named = this.text
      .replace(dayWords, ' ')
      .match(
        /\b(?:in|for|at|of|near)\s+(?:the\s+)?(\p{Lu}[\p{L}'’. -]*(?:(?:,|\s+and)\s+\p{Lu}[\p{L}'’. -]*)*)/u,
      )?.[1];
    return parts(named ?? '');
  }

  #left(): Span[] {
    return this.#spans.filter((span) => !this.#taken.has(span));
  }

  #quoted(): Span[] {
    return this.#spans.filter(({ kind }) => kind === 'quoted');
  }

  /** From `start` to the next label or the end of the clause. */
  #valueFrom(start: number): string {
    const masked = withoutSpans(this.text, this.#quoted()).slice(start);
    const stop = masked.search(
      new RegExp(
        `(?:,|;|\\s+and|\\s+with|\\s)\\s*(?:and\\s+|with\\s+)?(?:the\\s+|an?\\s+)?(?:${this.#labels})\\b|[;\\n]|\\s+to\\s+\\S+@`,
        'iu',
      ),
    );
    return this.text.slice(start, stop < 0 ? undefined : start + stop).trim();
  }

  /** Whether a label without a colon names this value: it stands in a list, or no "of" or "in" follows. */
  #isValue(label: number, value: string): boolean {
    const before = this.text.slice(0, label);
    const isListed = /(?:\b(?:and|with)|[,;])\s*(?:the |an? )?$/i.test(before);
    return isListed || !isStopWord(wordsOf(value)[0] ?? 'the');
  }

  #takeRange(from: number, start: number, value: string): string {
    const end = start + value.length;
    this.#ranges.push({ kind: 'quoted', text: value, start: from, end });
    for (const span of this.#left())
      if (span.start >= start && span.end <= end) this.#taken.add(span);
    return withoutEnd(value.replace(/^(?:[\s:,–-]|that\b)+/i, ''));
  }

  /** Whether a word (or a part of a compound) is in the tool's name or says what it does. */
  #isCommand(text: string): boolean {
    const own = this.#toolStems();
    return wordsOf(text).some((word) => own.some((other) => likeness(stem(word), other) > 0));
  }

  #toolStems(): string[] {
    return [...stemsOf(`${this.#tool.name} ${this.#tool.description.split('.')[0]}`)];
  }
}

/** Whether a text only points at something said before. */
export function isPronoun(text: string): boolean {
  return pronouns.test(text.trim());
}

function labelOf(parameter: string): string {
  const words = wordsOf(parameter);
  return [words.join('[\\s_-]?') || '\\0', ...words.flatMap((word) => labelWords[word] ?? [])].join(
    '|',
  );
}

/** The members of a list in words. */
function parts(text: string): string[] {
  return text
    .split(/,|\sand\s|\sor\s/)
    .map(clean)
    .filter((part) => part !== '');
}

function clean(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/(?: ?,)+ ?/g, ', ');
  return withoutEnd(line.replace(connectors, ''));
}

/** Without the words and signs that lead on to what was cut off, and without quotes. */
function withoutEnd(text: string): string {
  return text
    .replace(/(?:[\s,;:]|\b(?:and|to|in|with|is|are|please)\b)*[\s.?!]*$/i, '')
    .replace(/^["'“”`]|["'“”`]$/g, '');
}

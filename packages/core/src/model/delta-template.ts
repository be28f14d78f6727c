/** A place in a {@link DeltaTemplate} whose value changes from event to event. */
interface Slot {
  readonly kind: 'text' | 'string' | 'counter' | 'number';
  /** What follows the value, up to the next slot; begins with the closing quote of a string. */
  readonly after: string;
}

/** Longer slices of a string keep the string they were cut from alive in V8: here a whole slice of the socket. */
const maxSlice = 12;
const backslash = 92;
/** What else providers change from event to event: a counter, padding, a time. */
const varying = ['"sequence_number":', '"obfuscation":', '"created":'];
/** Learning in vain is given up after so many events: the provider changes something else each time. */
const maxMisses = 16;

/**
 * Reads the text of an event that is like one read before, without parsing it again: nearly all events of a stream
 * differ only in their text, a counter and some padding, and parsing them is most of what a token costs.
 *
 * It is exact, not a guess: every character outside the slots has to be the same as in an event that `JSON.parse` has
 * taken, and a slot holds one whole string or number, so parsing would give the same object but for these values.
 */
export class DeltaTemplate {
  /** What the counter of the event said that was matched last. */
  counter = 0;
  readonly #text: string;
  readonly #counter: string | undefined;
  readonly #marks: readonly string[];
  #head = '';
  #tail: readonly Slot[] = [];
  #misses = 0;

  /** `text` is the JSON before the text, such as `"content":`; `counter` that before a number which is told as well. */
  constructor(text: string, counter?: string) {
    this.#text = text;
    this.#counter = counter;
    this.#marks = [text, ...(counter === undefined ? [] : [counter]), ...varying];
  }

  /** The text of an event like the one learned; `undefined` for all others. */
  match(data: string): string | undefined {
    const tail = this.#tail;
    let at = this.#head.length;
    // Comparing slices is several times faster than `startsWith`, which goes character by character.
    if (at === 0 || data.slice(0, at) !== this.#head) return undefined;
    let text: string | undefined;
    for (let index = 0; index < tail.length; index += 1) {
      const { kind, after } = tail[index] as Slot;
      const end = endOf(kind, data, at);
      const next = end + after.length;
      if (end < 0 || data.slice(end, next) !== after) return undefined;
      if (kind === 'text') text = literal(data, at, end);
      else if (kind === 'counter') this.counter = Number(data.slice(at, end));
      at = next;
    }
    if (at !== data.length) return undefined;
    this.#misses = 0;
    return text;
  }

  /** Takes an event that was parsed, says nothing but `text` (and its counter), and was not matched. */
  learn(data: string, text: string): void {
    if (this.#misses > maxMisses) return;
    const values: Value[] = [];
    for (const mark of this.#marks) {
      const value = find(data, mark);
      if (value === 'unclear') return;
      if (value !== undefined) insert(values, value);
    }
    const said = values.find(({ mark }) => mark === this.#text);
    if (said === undefined || literal(data, said.start, said.end) !== text) return;
    if (this.#counter !== undefined && !values.some((value) => this.#isCounter(value))) return;
    this.#misses += 1;
    this.#head = copy(data.slice(0, values[0]?.start));
    this.#tail = values.map((value, index) => ({
      kind: this.#kindOf(value),
      after: copy(data.slice(value.end, values[index + 1]?.start)),
    }));
  }

  #isCounter({ mark, kind }: Value): boolean {
    return mark === this.#counter && kind === 'number';
  }

  #kindOf(value: Value): Slot['kind'] {
    if (value.mark === this.#text) return 'text';
    return this.#isCounter(value) ? 'counter' : value.kind;
  }
}

/** Keeps the order of the text: `sort` would allocate more than all that it sorts. */
function insert(values: Value[], value: Value): void {
  const next = values.findIndex(({ start }) => start > value.start);
  values.splice(next < 0 ? values.length : next, 0, value);
}

/** A string of its own, which keeps no other alive. */
function copy(slice: string): string {
  return Buffer.from(slice).toString();
}

/** A value in the text of an event: the inside of a string, or the digits of a number. */
interface Value {
  readonly mark: string;
  readonly kind: 'string' | 'number';
  readonly start: number;
  readonly end: number;
}

/** Finds the value behind a mark, which in JSON text no string can imitate: the quotes in a string are escaped. */
function find(data: string, mark: string): Value | 'unclear' | undefined {
  const at = data.indexOf(mark);
  if (at < 0) return undefined;
  if (data.includes(mark, at + 1)) return 'unclear';
  const value = at + mark.length;
  const quoted = data.charAt(value) === '"';
  const start = quoted ? value + 1 : value;
  const end = quoted ? endOfString(data, start) : endOfDigits(data, start);
  return end < 0 ? 'unclear' : { mark, kind: quoted ? 'string' : 'number', start, end };
}

function endOf(kind: Slot['kind'], data: string, start: number): number {
  const isString = kind === 'text' || kind === 'string';
  return isString ? endOfString(data, start) : endOfDigits(data, start);
}

/** Where a string's closing quote is: the first that is not escaped; -1 without one. */
function endOfString(data: string, start: number): number {
  let end = data.indexOf('"', start);
  while (end > start && isEscaped(data, end)) end = data.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes is before a quote. */
function isEscaped(data: string, quote: number): boolean {
  let at = quote;
  while (data.charCodeAt(at - 1) === backslash) at -= 1;
  return (quote - at) % 2 === 1;
}

function endOfDigits(data: string, start: number): number {
  let end = start;
  let code = data.charCodeAt(end);
  while (code >= 48 && code <= 57) {
    end += 1;
    code = data.charCodeAt(end);
  }
  return end > start ? end : -1;
}

/** The text of a string literal whose quotes are around `start` and `end`; `undefined` where it is none. */
function literal(data: string, start: number, end: number): string | undefined {
  const slice = data.slice(start, end);
  if (slice.length <= maxSlice && !slice.includes('\\')) return slice;
  try {
    return JSON.parse(data.slice(start - 1, end + 1)) as string;
  } catch {
    return undefined;
  }
}

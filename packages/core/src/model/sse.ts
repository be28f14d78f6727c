/** Takes the events of a stream as they are read. */
export interface SseTarget {
  /** One event; `name` is empty where the stream named none. */
  event(data: string, name: string): void;
}

/** Characters that one line, or the data of one event, may have before the stream is given up. */
export const maxEventLength = 64 * 1024 * 1024;

const letterD = 100;
const letterE = 101;
const space = 32;

/** Where a field's value begins: one space after the colon is not part of it. */
function valueAt(text: string, afterColon: number): number {
  return text.charCodeAt(afterColon) === space ? afterColon + 1 : afterColon;
}

/**
 * Reads server-sent events from text as the socket pushes it, in slices of any size.
 * Takes CRLF, LF and CR, a byte order mark, comments, data on several lines, and a last event without its blank line
 * (which browsers drop, but providers send).
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class SseReader {
  readonly #target: SseTarget;
  readonly #limit: number;
  /** The unfinished line. Grows by concatenation and is only searched in its newest slice: linear for a huge line. */
  #rest = '';
  #data: string | undefined;
  #name = '';
  #afterCr = false;
  #atStart = true;

  constructor(target: SseTarget, limit = maxEventLength) {
    this.#target = target;
    this.#limit = limit;
  }

  /** Takes the next slice of the stream. Throws a `RangeError` where an event exceeds the limit. */
  push(slice: string): void {
    if (slice === '') return;
    const text = this.#normalise(slice);
    let newline = text.indexOf('\n');
    if (newline < 0) {
      this.#rest += text;
      this.#check(this.#rest.length);
      return;
    }
    if (this.#rest !== '') {
      const line = this.#rest + text.slice(0, newline);
      this.#rest = '';
      this.#line(line, 0, line.length);
    } else {
      this.#line(text, 0, newline);
    }
    let start = newline + 1;
    newline = text.indexOf('\n', start);
    while (newline >= 0) {
      this.#line(text, start, newline);
      start = newline + 1;
      newline = text.indexOf('\n', start);
    }
    this.#rest = text.slice(start);
  }

  /** The stream ended: hands out what was not yet followed by a blank line. */
  end(): void {
    const line = this.#rest;
    this.#rest = '';
    if (line !== '') this.#line(line, 0, line.length);
    this.#dispatch();
  }

  /** Turns every line end into LF, and drops a byte order mark. */
  #normalise(slice: string): string {
    let text = slice;
    if (this.#atStart) {
      this.#atStart = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    if (this.#afterCr) {
      this.#afterCr = false;
      if (text.charCodeAt(0) === 10) text = text.slice(1);
    }
    if (!text.includes('\r')) return text;
    this.#afterCr = text.charCodeAt(text.length - 1) === 13;
    return text.replaceAll(/\r\n?/g, '\n');
  }

  #line(text: string, start: number, end: number): void {
    if (start === end) {
      this.#dispatch();
      return;
    }
    // Two comparisons of slices at most: `startsWith` goes character by character.
    const first = text.charCodeAt(start);
    if (first === letterD && text.slice(start, start + 5) === 'data:') {
      this.#addData(text.slice(valueAt(text, start + 5), end));
    } else if (first === letterE && text.slice(start, start + 6) === 'event:') {
      this.#name = text.slice(valueAt(text, start + 6), end);
    } else if (first === letterD && text.slice(start, end) === 'data') {
      this.#addData('');
    }
  }

  #addData(data: string): void {
    this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`;
    this.#check(this.#data.length);
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = undefined;
    this.#name = '';
    if (data !== undefined) this.#target.event(data, name);
  }

  #check(length: number): void {
    if (length > this.#limit)
      throw new RangeError(`an event is longer than ${this.#limit} characters`);
  }
}

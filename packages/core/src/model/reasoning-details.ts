import type { Json } from '../internal/json.ts';
import type { WireObject } from './wire-values.ts';

/** Fields that arrive in pieces; the others arrive whole. */
const written = ['text', 'summary', 'data'];

/** Puts OpenRouter's `reasoning_details` together: what must be sent back for a model to go on thinking. */
export class ReasoningDetails {
  readonly #items: Record<string, Json>[] = [];

  get items(): readonly Json[] {
    return this.#items;
  }

  add(pieces: readonly WireObject[]): void {
    for (const piece of pieces) {
      const last = this.#items.at(-1);
      const continues =
        last !== undefined &&
        last['type'] === piece['type'] &&
        last['index'] === piece['index'] &&
        piece['type'] !== 'reasoning.encrypted';
      if (continues) extend(last, piece);
      else this.#items.push({ ...piece } as Record<string, Json>);
    }
  }
}

function extend(item: Record<string, Json>, piece: WireObject): void {
  for (const [key, value] of Object.entries(piece)) {
    if (value === null || value === undefined) continue;
    const before = item[key];
    const grows = written.includes(key) && typeof before === 'string' && typeof value === 'string';
    item[key] = grows ? before + value : (value as Json);
  }
}

/** The place of an event in its run's log: under which owner, and the how-manieth. */
interface Place {
  readonly epoch: number;
  readonly k: number;
}

/** Reads a cursor (`<epoch>-<k>`); `undefined` for anything else. */
export function parseCursor(cursor: string): Place | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(cursor);
  return match === null ? undefined : { epoch: Number(match[1]), k: Number(match[2]) };
}

/** Less than, equal to or greater than 0 as `a` comes before, is, or comes after `b`. */
export function comparePlaces(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.k - b.k;
}

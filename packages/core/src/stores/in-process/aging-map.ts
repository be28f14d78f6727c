/**
 * A Map that gives up its oldest entry at constant cost. Asking a plain Map for its first key walks over the places of
 * all that was deleted before it: with a thousand entries that came to more than the rest of a run's life in the store.
 */
export class AgingMap<K, V> extends Map<K, V> {
  /** Everything before its position was shifted out. */
  #oldest = this.entries();

  /** Removes the oldest entry and returns it; `undefined` when there is none. */
  shift(): readonly [K, V] | undefined {
    const next = this.#oldest.next();
    if (next.done === true) {
      // An iterator that has seen the end stays there.
      this.#oldest = this.entries();
      return undefined;
    }
    this.delete(next.value[0]);
    return next.value;
  }
}

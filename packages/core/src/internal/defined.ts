type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The properties of an object that are not `undefined`: absent and `undefined` are not the same in stored JSON. */
export function defined<T extends object>(value: T): Defined<T> {
  // No list of entries: a run asks for this several times before its first token, and each would be garbage.
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const property = value[name as keyof T];
    if (property !== undefined) kept[name] = property;
  }
  return kept as Defined<T>;
}

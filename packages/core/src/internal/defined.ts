type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The properties of an object that are not `undefined`: absent and `undefined` are not the same in stored JSON. */
export function defined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}

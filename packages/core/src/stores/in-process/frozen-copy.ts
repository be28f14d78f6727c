/**
 * A deep copy that nobody can change: what goes into the store is then safe from its giver and from its readers,
 * and is handed out again and again without another copy. JSON only.
 */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? (frozenArray(value) as T) : frozenObject(value);
}

function frozenArray(value: readonly unknown[]): readonly unknown[] {
  return Object.freeze(value.map((item) => frozenCopy(item)));
}

function frozenObject<T extends object>(value: T): T {
  // A spread keeps an own `__proto__` member as data, where an assignment to `{}` would set the prototype.
  const copy = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === 'object' && member !== null) copy[key] = frozenCopy(member);
  }
  return Object.freeze(copy);
}

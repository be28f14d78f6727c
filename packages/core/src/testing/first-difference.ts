import { isRecord } from '../internal/json.ts';

/** Where two JSON values part, and what stands there. */
export interface Difference {
  /** Such as `messages[2].content`; empty for the whole. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The first place where `actual` is not `expected`, in the order of `expected`; `undefined` when they are equal. */
export function firstDifference(
  expected: unknown,
  actual: unknown,
  path = '',
): Difference | undefined {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const length = Math.max(expected.length, actual.length);
    return first(
      Array.from({ length }, (_, i) => i),
      (i) => firstDifference(expected[i], actual[i], `${path}[${i}]`),
    );
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return first([...keys], (key) =>
      firstDifference(expected[key], actual[key], path ? `${path}.${key}` : key),
    );
  }
  return Object.is(expected, actual) ? undefined : { path, expected, actual };
}

function first<K>(
  keys: readonly K[],
  at: (key: K) => Difference | undefined,
): Difference | undefined {
  for (const key of keys) {
    const difference = at(key);
    if (difference) return difference;
  }
  return undefined;
}

/** Text as every store takes it: lone surrogates become U+FFFD, NUL is left out. Usually the same string. */
export function cleanText(text: string): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '') : wellFormed;
}

/** Levels of arrays and objects in stored JSON: everything that walks it does so with room to spare on the stack. */
const maxDepth = 1_000;

/** The escapes of JSON text: whole pairs, halves of pairs, NUL, and all others. */
const escapes =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|(?<nul>u0000)|.)/gs;

/** Whether an escape in the text may stand for what {@link cleanText} takes out. */
const suspicious = /\\u(?:0000|[dD][89a-fA-F])/;

/** Parses JSON into what every store takes: names and strings cleaned, not nested too deeply. Throws a `SyntaxError`. */
export function parseStorable(text: string): unknown {
  const wellFormed = text.toWellFormed();
  if (isDeeperThan(wellFormed, maxDepth)) {
    throw new SyntaxError(`JSON may be nested ${maxDepth} levels deep, not deeper`);
  }
  if (!suspicious.test(wellFormed)) return JSON.parse(wellFormed);
  return JSON.parse(
    wellFormed.replaceAll(escapes, (escaped, half?: string, nul?: string) => {
      if (nul !== undefined) return '';
      return half === undefined ? escaped : '\uFFFD';
    }),
  );
}

/** Counts brackets outside strings, without parsing and without a stack. */
function isDeeperThan(json: string, limit: number): boolean {
  if (json.length <= limit) return false;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length && depth <= limit; at++) {
    const character = json[at];
    if (character === '"') isInString = !isInString;
    else if (character === '\\') at += 1;
    else if (!isInString) depth += steps[character as keyof typeof steps] ?? 0;
  }
  return depth > limit;
}

const steps = { '[': 1, '{': 1, ']': -1, '}': -1 } as const;

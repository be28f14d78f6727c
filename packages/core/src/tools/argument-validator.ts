import type { JsonObject } from '../internal/json.ts';

/**
 * Who wrote a schema. The patterns of a `server` are not evaluated: a regular expression can take hours, and the server
 * checks its own arguments anyway.
 */
export type SchemaAuthor = 'host' | 'server';

/**
 * A check for one schema, compiled when it is first used. Says what is wrong with a value, for the model to read; `null`
 * when nothing is. Never throws: a schema that cannot be compiled (a remote `$ref`, an unknown type) refuses every value
 * and says why.
 */
export function schemaCheck(
  schema: JsonObject,
  author: SchemaAuthor,
): (value: unknown) => Promise<string | null> {
  let compiled: Promise<(value: unknown) => string | null> | undefined;
  const compile = async () => {
    const { compileSchema } = await import('./schema-compiler.ts');
    return compileSchema(schema, author);
  };
  return async (value) => {
    compiled ??= compile();
    return (await compiled)(value);
  };
}

/** A problem with its place, such as `items[0].price: must be number`. */
export function describeProblem(path: readonly PropertyKey[], message: string): string {
  let place = '';
  for (const segment of path) {
    const name = String(segment);
    if (/^\d+$/.test(name)) place += `[${name}]`;
    else place += place === '' ? name : `.${name}`;
  }
  return `${place === '' ? 'arguments' : place}: ${message}`;
}

import type { JsonObject } from '../internal/json.ts';
import type { SchemaAuthor } from './schema-compiler.ts';

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

import type { Json, JsonObject } from '../internal/json.ts';
import { schemaCheck } from '../tools/argument-validator.ts';
import type { Validation } from '../tools/tool.ts';

/** The answer as JSON, if it is JSON and fits the schema that was asked for. */
export async function parseOutput(text: string, schema: JsonObject): Promise<Validation> {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return {
      valid: false,
      message: 'The answer is not JSON, though an `output` schema was given.',
    };
  }
  const problem = await schemaCheck(schema, 'host')(value);
  if (problem === null) return { valid: true, value };
  return { valid: false, message: `The answer does not match the \`output\` schema: ${problem}` };
}

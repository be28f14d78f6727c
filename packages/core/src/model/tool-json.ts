import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import type { ToolDefinition } from './model-client.ts';

/** Writes one definition as an API wants it. */
export type WriteTool = (tool: ToolDefinition) => JsonObject;

/**
 * Writes the `tools` of a request as JSON, once for each array of definitions: with hundreds of tools this is most of
 * what a request costs. Tools of the provider (`{ type: 'web_search' }`) come first; one that has the name of a
 * definition replaces it.
 */
export class ToolJson {
  readonly #write: WriteTool;
  readonly #written = new WeakMap<readonly ToolDefinition[], string>();

  constructor(write: WriteTool) {
    this.#write = write;
  }

  /** The JSON array; `undefined` for no tools at all. */
  of(tools: readonly ToolDefinition[], hosted: readonly Json[]): string | undefined {
    if (hosted.length === 0) return tools.length === 0 ? undefined : `[${this.#inner(tools)}]`;
    const names = new Set(hosted.map(nameOf));
    const replaced = tools.some((tool) => names.has(tool.name));
    const own = replaced
      ? this.#join(tools.filter((tool) => !names.has(tool.name)))
      : this.#inner(tools);
    const first = hosted.map((tool) => JSON.stringify(tool)).join(',');
    return own === '' ? `[${first}]` : `[${first},${own}]`;
  }

  #inner(tools: readonly ToolDefinition[]): string {
    let json = this.#written.get(tools);
    if (json === undefined) {
      json = this.#join(tools);
      this.#written.set(tools, json);
    }
    return json;
  }

  #join(tools: readonly ToolDefinition[]): string {
    return tools.map((tool) => JSON.stringify(this.#write(tool))).join(',');
  }
}

function nameOf(tool: Json): unknown {
  if (!isRecord(tool)) return undefined;
  return isRecord(tool['function']) ? tool['function']['name'] : tool['name'];
}

import type { Json, JsonObject } from '../internal/json.ts';
import type { ModelRequest } from './model-client.ts';
import type { ToolJson } from './tool-json.ts';

/** A request of either API before it is written. */
export interface RequestParts {
  /** What Steward sets. */
  readonly own: JsonObject;
  /** What the host sets for every request. */
  readonly request: JsonObject;
  readonly tools: ToolJson;
  /** Set with the tools, and left out without any. */
  readonly toolChoice: Json | undefined;
}

/**
 * Writes the body of a request. Parameters of the host win over Steward's, those of the one request over both; their
 * `tools` are added to ours. The tools are spliced in as JSON that was written before.
 */
export function writeBody(
  asked: ModelRequest,
  { own, request, tools, toolChoice }: RequestParts,
): string {
  const { tools: always, ...fixed } = request;
  const { tools: once, ...extra } = asked.extra ?? {};
  const toolsJson = tools.of(asked.tools, [...list(always), ...list(once)]);
  const choice = toolsJson === undefined ? undefined : toolChoice;
  const body = { ...own, tool_choice: choice, ...fixed, ...extra };
  const json = JSON.stringify(body);
  return wellFormed(toolsJson === undefined ? json : `${json.slice(0, -1)},"tools":${toolsJson}}`);
}

/** The parameters that the host gave, for those that change what Steward writes. */
export function hostParameter(
  asked: ModelRequest,
  request: JsonObject,
  name: string,
): Json | undefined {
  return asked.extra?.[name] ?? request[name];
}

/**
 * Replaces lone surrogates, which `JSON.stringify` writes as escapes (and nothing else so): servers that decode JSON
 * strictly refuse the whole request for them.
 */
function wellFormed(json: string): string {
  if (!json.includes('\\ud')) return json;
  return json.replaceAll(/\\(?:\\|ud[89a-f][0-9a-f]{2})/g, (found) =>
    found === '\\\\' ? found : '\\ufffd',
  );
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

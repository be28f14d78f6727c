import type { Client } from '@modelcontextprotocol/client';
import type { ToolContentPart } from '../tools/tool-content.ts';
import { contentParts } from './content-blocks.ts';
import { callWithInput } from './elicitation.ts';
import { withoutHidden } from './hidden-text.ts';
import type { ListedTool, McpCall } from './mcp-client.ts';

/** Longer listings are cut: a model does not read them, and a server may list without end. */
const MAX_ENTRIES = 1_000;

const list: ListedTool = {
  name: 'list_resources',
  description:
    'Lists what read_resource of this server can read: its resources, and patterns of their addresses.',
  inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  outputSchema: undefined,
  annotations: {},
  definition: { method: 'resources/list' },
};

const read: ListedTool = {
  name: 'read_resource',
  description: 'Reads a resource of this server by its address.',
  inputSchema: {
    type: 'object',
    properties: { uri: { type: 'string', minLength: 1, maxLength: 8_192 } },
    required: ['uri'],
    additionalProperties: false,
  },
  outputSchema: undefined,
  annotations: {},
  definition: { method: 'resources/read' },
};

/** The tools with which a model reads the resources of a server, unless the server has tools of these names. */
export function resourceTools(client: Client, tools: readonly ListedTool[]): readonly ListedTool[] {
  if (client.getServerCapabilities()?.resources === undefined) return [];
  const taken = new Set(tools.map(({ name }) => name));
  return [list, read].filter(({ name }) => !taken.has(name));
}

/** What the call of a resource tool gives; `undefined` when the tool is the server's own. */
export function callResources(
  client: Client,
  call: McpCall,
  options: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<readonly ToolContentPart[]> | undefined {
  if (call.tool === list) return listResources(client, options);
  if (call.tool === read) return readResource(client, call, options);
  return undefined;
}

async function listResources(
  client: Client,
  options: Parameters<Client['listResources']>[1],
): Promise<readonly ToolContentPart[]> {
  const { resources } = await client.listResources(undefined, options);
  const { resourceTemplates } = await client
    .listResourceTemplates(undefined, options)
    // A server without patterns may not know the question.
    .catch(() => ({ resourceTemplates: [] }));
  const entries = [
    ...resources.map(({ uri, ...resource }) => lineOf(uri, resource)),
    ...resourceTemplates.map(({ uriTemplate, ...resource }) => lineOf(uriTemplate, resource)),
  ];
  const more = entries.length - MAX_ENTRIES;
  const lines = more > 0 ? [...entries.slice(0, MAX_ENTRIES), `[${more} more]`] : entries;
  return [{ type: 'text', text: lines.join('\n') || 'This server has no resources.' }];
}

function lineOf(
  address: string,
  { name, description }: { readonly name: string; readonly description?: string | undefined },
): string {
  const words = description === undefined ? name : `${name}: ${description}`;
  return withoutHidden(`${address}  ${words.replaceAll(/\s+/g, ' ')}`);
}

async function readResource(
  client: Client,
  call: McpCall,
  options: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<readonly ToolContentPart[]> {
  const { uri } = call.args as { readonly uri: string };
  const result = await callWithInput(call, (answers) =>
    client.readResource({ uri, ...answers }, { ...options, allowInputRequired: true }),
  );
  return contentParts(
    result.contents.map((resource) => ({ type: 'resource' as const, resource })),
    undefined,
  );
}

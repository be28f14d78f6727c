import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { mcpServer, type ToolServerOptions } from '../../src/mcp-server/index.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool } from '../../src/tools/tool.ts';

/** Tools for each thing that can happen; `ran` is told what really happened. */
export function kitTools(ran: string[], gate = Promise.withResolvers<void>()): readonly Tool[] {
  return [
    tool({
      name: 'add',
      description: 'Add two numbers',
      parameters: z.object({ a: z.number(), b: z.number() }),
      effect: 'read',
      execute: ({ a, b }) => ({ sum: a + b }),
    }),
    tool({
      name: 'append',
      description: 'Append a line',
      parameters: z.object({ line: z.string() }),
      execute: ({ line }, { idempotencyKey, principal }) => {
        ran.push(line);
        return `${principal.userId} appended ${line} under ${idempotencyKey.length > 0}`;
      },
    }),
    tool({
      name: 'big',
      description: 'A large text',
      parameters: z.object({ bytes: z.number() }),
      effect: 'read',
      execute: ({ bytes }) => 'x'.repeat(bytes),
    }),
    tool({
      name: 'fail',
      description: 'Fails',
      parameters: z.object({}),
      execute: () => {
        ran.push('fail');
        throw new Error('the printer is on fire');
      },
    }),
    tool({
      name: 'hang',
      description: 'Ends with the signal, or when it is released',
      parameters: z.object({}),
      timeoutMs: 5_000,
      execute: async (_, { signal, progress }) => {
        progress({ progress: 1, total: 2, message: 'half' });
        ran.push('hang');
        const stopped = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        await Promise.race([stopped, gate.promise]);
        ran.push(signal.aborted ? 'stopped' : 'released');
        return 'done';
      },
    }),
    tool({
      name: 'late',
      description: 'Never ends',
      parameters: z.object({}),
      timeoutMs: 20,
      execute: () => new Promise(() => undefined),
    }),
    tool({
      name: 'ask',
      description: 'Asks twice',
      parameters: z.object({ what: z.string() }),
      execute: async ({ what }, { requestInput }) => {
        ran.push(`ask ${what}`);
        const schema = { type: 'object', properties: { yes: { type: 'boolean' } } };
        const first = await requestInput({ message: `${what}?`, schema });
        const second = await requestInput({ message: 'Really?', schema });
        return { what, first, second };
      },
    }),
  ];
}

/** What an envelope is answered with. */
export interface Executed {
  readonly requestId: string | null;
  readonly successful: boolean;
  readonly data: {
    readonly results: readonly {
      readonly response: string & { readonly sum: number };
      readonly artifact?: { readonly artifactId: string };
    }[];
  };
  readonly error: { readonly code: string; readonly details: unknown };
}

/** What a server says of itself. */
interface Discovered {
  readonly allowed_tools: readonly string[];
  readonly tools: readonly object[];
}

/** A listening server of the kit, with its client for HTTP. */
export async function openKit(options: Partial<ToolServerOptions> = {}) {
  const ran: string[] = [];
  const gate = Promise.withResolvers<void>();
  const tools = kitTools(ran, gate);
  const server = mcpServer({ name: 'kit', version: '1.0.0', tools, ...options });
  onTestFinished(() => server.close());
  const url = await server.listen();
  const post = async (body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/mcp/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Executed };
  };
  return {
    server,
    url,
    ran,
    post,
    /** Lets `hang` go on. */
    release: () => gate.resolve(),
    discover: async (path = '/mcp/discover') =>
      (await (await fetch(url + path)).json()) as Discovered,
    /** One call in an envelope. */
    execute: (slug: string, args: object = {}, more: object = {}) =>
      post({ tools: [{ tool_slug: slug, arguments: args }], ...more }),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  };
}

/** A client of the SDK, of either era. */
export async function nativeClient(url: string, era: 'modern' | 'legacy', capabilities = {}) {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
  onTestFinished(() => client.close());
  return client;
}

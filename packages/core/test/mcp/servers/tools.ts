import {
  acceptedContent,
  inputRequired,
  McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const KEY = 'steward/idempotencyKey';

let goOn: () => void = () => undefined;

/** A server with a tool for each thing that can happen. `note` is told what really happened. */
export function makeServer(note: (line: string) => void): McpServer {
  const server = new McpServer(
    { name: 'fixture', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );

  server.registerTool(
    'echo',
    {
      description: 'Says\u202E it again\u200B',
      inputSchema: z.object({ text: z.string() }),
      annotations: { readOnlyHint: true },
    },
    async ({ text: said }) => text(said),
  );

  server.registerTool(
    'append',
    { inputSchema: z.object({ line: z.string() }) },
    async ({ line }, ctx) => {
      note(`append ${line} ${String(ctx.mcpReq._meta?.[KEY])}`);
      return text('appended');
    },
  );

  server.registerTool('slow', { description: 'Never ends' }, async (ctx) => {
    note('slow started');
    await new Promise<void>((resolve) => {
      ctx.mcpReq.signal.addEventListener('abort', () => resolve());
    });
    note('slow cancelled');
    return text('cancelled');
  });

  server.registerTool(
    'steps',
    { description: 'Reports progress, then waits for go_on' },
    async (ctx) => {
      const waiting = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const progressToken = ctx.mcpReq._meta?.progressToken ?? 'none';
      const params = { progressToken, progress: 1, total: 2, message: 'half' };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
      await waiting;
      return text('all steps');
    },
  );

  server.registerTool('hang', { description: 'Reports progress, then never ends' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken ?? 'none';
    await ctx.mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken, progress: 1 },
    });
    note('hang started');
    return new Promise(() => undefined);
  });

  server.registerTool('go_on', {}, async () => {
    goOn();
    return text('going on');
  });

  server.registerTool(
    'deploy',
    { inputSchema: z.object({ env: z.string() }) },
    async ({ env }, ctx) => {
      const schema = z.object({ confirm: z.boolean() });
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', schema);
      const asked = ctx.mcpReq.inputResponses !== undefined;
      if (answer?.confirm === true) return text(`deployed to ${env}`);
      if (asked) return text('not deployed');
      return inputRequired({
        inputRequests: {
          confirm: inputRequired.elicit({ message: `Deploy to ${env}?`, requestedSchema: schema }),
        },
      });
    },
  );

  server.registerTool('fail', {}, async () => ({
    ...text('the printer is on fire'),
    isError: true,
  }));

  server.registerTool('picture', {}, async () => ({
    content: [
      { type: 'text', text: 'a dot' },
      { type: 'image', mimeType: 'image/png', data: Buffer.from([1, 2, 3]).toString('base64') },
      { type: 'resource', resource: { uri: 'note://1', text: 'a note' } },
      { type: 'resource_link', uri: 'note://2', name: 'another' },
    ],
  }));

  server.registerTool('measure', { outputSchema: z.object({ celsius: z.number() }) }, async () => ({
    content: [],
    structuredContent: { celsius: 21.5 },
  }));

  server.registerTool('big', { inputSchema: z.object({ bytes: z.number() }) }, async ({ bytes }) =>
    text('x'.repeat(bytes)),
  );

  server.registerTool('environment', {}, async () =>
    text(JSON.stringify({ ...process.env, PID: process.pid })),
  );

  server.registerTool('die', {}, async () => {
    note('died');
    process.exit(3);
  });

  server.registerTool('grow', { description: 'Adds a tool' }, async () => {
    server.registerTool('grown', {}, async () => text('grown'));
    return text('there is one more');
  });

  server.registerResource('note', 'note://1', { description: 'A\u202E note' }, async (uri) => ({
    contents: [{ uri: uri.href, text: 'what is noted' }],
  }));
  server.registerResource(
    'day',
    new ResourceTemplate('day://{date}', { list: undefined }),
    { description: 'A day' },
    async (uri) => {
      note(`read ${uri.href}`);
      const blob = Buffer.from('sun').toString('base64');
      return { contents: [{ uri: uri.href, mimeType: 'image/png', blob }] };
    },
  );
  server.registerPrompt(
    'greet',
    { description: 'Greets\u200B', argsSchema: z.object({ name: z.string().describe('Who') }) },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}\u202E` } }],
    }),
  );

  return server;
}

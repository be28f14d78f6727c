import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

// A server as they were built before 2026: sdk 1.x, with sessions.
const server = new McpServer({ name: 'old', version: '1.0.0' });
server.registerTool(
  'echo',
  { description: 'Echo', inputSchema: { text: z.string() } },
  async ({ text }) => ({
    content: [{ type: 'text', text }],
  }),
);
server.registerTool('ask', { description: 'Asks the person' }, async () => {
  const answer = await server.server.elicitInput({
    message: 'Your name?',
    requestedSchema: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    },
  });
  return {
    content: [{ type: 'text', text: `${answer.action} ${JSON.stringify(answer.content ?? null)}` }],
  };
});
await server.connect(new StdioServerTransport());

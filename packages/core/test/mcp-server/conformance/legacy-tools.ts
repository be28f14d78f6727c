import { setTimeout } from 'node:timers/promises';
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import schema from './schema-2020-12.json' with { type: 'json' };

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** What the revision of 2026 has dropped, and what the kit leaves to the SDK. */
export function addLegacyTools(server: McpServer): void {
  server.server.registerCapabilities({ logging: {}, resources: { subscribe: true } });
  server.server.setRequestHandler('resources/subscribe', async () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}));
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Logs' }, async ({ mcpReq }) => {
      await mcpReq.log('info', 'Tool execution started');
      await setTimeout(50);
      await mcpReq.log('info', 'Tool processing data');
      await setTimeout(50);
      await mcpReq.log('info', 'Tool execution completed');
      return text('logged');
    });
  }
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      const said = 'text' in content ? content.text : JSON.stringify(content);
      return text(`LLM response: ${said}`);
    },
  );
  server.registerTool('test_reconnection', { description: 'Cuts its stream' }, async ({ http }) => {
    http?.closeSSE?.();
    await setTimeout(100);
    return text('Reconnection test completed');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: fromJsonSchema(schema as never),
    },
    async () => text('fine'),
  );
}

/**
 * The server that the conformance suite of MCP calls: built with the kit, with the tools, resources and prompts that the
 * suite wants. `npm run conformance` starts it; it prints its address.
 */
import { mcpServer } from '../../src/mcp-server/index.ts';
import { addContents } from './conformance/contents.ts';
import { addLegacyTools } from './conformance/legacy-tools.ts';
import { addQuestions, requestStates } from './conformance/questions.ts';
import { conformanceTools } from './conformance/tools.ts';

const server = mcpServer({
  name: 'conformance',
  version: '1.0.0',
  tools: conformanceTools,
  serverOptions: {
    requestState: { verify: (state, context) => requestStates.verify(state, context) },
  },
  configure(sdk) {
    addContents(sdk);
    addLegacyTools(sdk);
    addQuestions(sdk);
    sdk.registerTool('test_trigger_tool_change', { description: 'Tells listeners' }, () => {
      server.toolsChanged();
      return { content: [{ type: 'text', text: 'told' }] };
    });
  },
});
process.stdout.write(`${await server.listen()}\n`);

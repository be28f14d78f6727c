// agents: @openai/agents, a streamed run without tracing.
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import { z } from 'zod';
import { instructions, prompt } from '../../lib/protocol.mjs';
import { makeTools, once } from '../../lib/tools.mjs';

setTracingDisabled(true);
const cached = once();

const toolsOf = (count) =>
  makeTools(z, count).map(({ name, description, schema, execute }) =>
    tool({ name, description, parameters: schema, execute }),
  );

function setUp({ api, baseURL, model, toolCount }) {
  return {
    runner: cached(`${baseURL} ${api}`, () => {
      const useResponses = api === 'responses';
      const modelProvider = new OpenAIProvider({ baseURL, apiKey: 'x', useResponses });
      return new Runner({ modelProvider, tracingDisabled: true });
    }),
    agent: cached(
      `${model} ${toolCount}`,
      () => new Agent({ name: 'bench', instructions, model, tools: toolsOf(toolCount) }),
    ),
  };
}

export async function runStream(job) {
  const received = { tokens: 0, characters: 0, events: 0, toolResults: 0 };
  const { runner, agent } = setUp(job);
  const stream = await runner.run(agent, prompt, { stream: true, maxTurns: 30 });
  for await (const event of stream) {
    received.events += 1;
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') {
      if (received.tokens === 0) job.onFirst();
      received.tokens += 1;
      received.characters += event.data.delta.length;
    } else if (event.type === 'run_item_stream_event' && event.name === 'tool_output') {
      received.toolResults += 1;
    }
  }
  await stream.completed;
  if (stream.error) throw stream.error;
  return received;
}

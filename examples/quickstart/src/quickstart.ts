import assert from 'node:assert/strict';
import { Assistant, demoModel, tool } from '@steward/core';
import { z } from 'zod';

// With a key the real model answers, without one the demo model.
const { OPENAI_API_KEY: key, OPENAI_MODEL: name = 'gpt-5-mini' } = process.env;

const weather = tool({
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => `18 °C and dry in ${city}`,
});
const assistant = new Assistant({ model: key ? name : demoModel(), tools: [weather] });

const run = assistant.run('What is the weather in Oslo?');
for await (const event of run) if (event.type === 'token') process.stdout.write(event.text);
const { text, toolCalls } = await run.result();
await assistant.close();

assert.match(text, /18\s?°C/);
assert.equal(toolCalls[0]?.outcome, 'succeeded');
console.log('\n\nok');

// The shortest tool loop that one would write by hand; `raw` and `openai` share it and differ in how they stream.
import { instructions, prompt } from './protocol.mjs';
import { makeTools, once } from './tools.mjs';

const maxTurns = 30;
const cached = once();

function toolset(z, count) {
  return cached(count, () => {
    const tools = makeTools(z, count);
    const functions = tools.map(({ name, description, schema }) => ({
      name,
      description,
      parameters: z.toJSONSchema(schema),
    }));
    return {
      byName: new Map(tools.map((tool) => [tool.name, tool])),
      chat: functions.map((definition) => ({ type: 'function', function: definition })),
      responses: functions.map((definition) => ({ type: 'function', ...definition })),
    };
  });
}

/** What differs between the two APIs. */
const dialects = {
  chat: {
    request: (history) => ({
      messages: history,
      stream: true,
      stream_options: { include_usage: true },
    }),
    read(chunk, turn) {
      const delta = chunk.choices[0]?.delta;
      if (!delta) return;
      if (delta.content) turn.token(delta.content);
      for (const piece of delta.tool_calls ?? []) {
        turn.calls[piece.index] ??= { id: piece.id, name: piece.function.name, args: '' };
        turn.calls[piece.index].args += piece.function.arguments;
      }
    },
    asked: (calls) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: calls.map(({ id, name, args }) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
      },
    ],
    result: ({ id }, content) => ({ role: 'tool', tool_call_id: id, content }),
  },
  responses: {
    request: (history) => ({ input: history, stream: true }),
    read(event, turn) {
      if (event.type === 'response.output_text.delta') turn.token(event.delta);
      if (event.type !== 'response.output_item.done') return;
      const { type, call_id: id, name, arguments: args } = event.item;
      if (type === 'function_call') turn.calls.push({ id, name, args });
    },
    asked: (calls) =>
      calls.map(({ id, name, args }) => ({
        type: 'function_call',
        call_id: id,
        name,
        arguments: args,
      })),
    result: ({ id }, output) => ({ type: 'function_call_output', call_id: id, output }),
  },
};

/** Runs the loop. `stream(body, onObject)` sends a request and resolves when its stream has ended. */
export async function handWrittenLoop({ z, api, model, toolCount, onFirst }, stream) {
  const received = { tokens: 0, characters: 0, events: 0, toolResults: 0 };
  const { byName, [api]: tools } = toolset(z, toolCount);
  const dialect = dialects[api];
  const history = [
    { role: 'system', content: instructions },
    { role: 'user', content: prompt },
  ];
  for (let step = 0; step < maxTurns; step += 1) {
    let text = '';
    const turn = {
      calls: [],
      token(piece) {
        if (received.tokens === 0) onFirst();
        received.tokens += 1;
        received.characters += piece.length;
        text += piece;
      },
    };
    const body = { model, ...dialect.request(history), ...(toolCount > 0 && { tools }) };
    await stream(body, (object) => {
      received.events += 1;
      dialect.read(object, turn);
    });
    if (turn.calls.length === 0) return { ...received, text };
    history.push(...dialect.asked(turn.calls));
    const results = await Promise.all(
      turn.calls.map(({ name, args }) => {
        const tool = byName.get(name);
        return tool.execute(tool.schema.parse(JSON.parse(args)));
      }),
    );
    for (const [index, result] of results.entries()) {
      received.toolResults += 1;
      received.events += 1;
      history.push(dialect.result(turn.calls[index], JSON.stringify(result)));
    }
  }
  throw new Error('too many turns');
}

// What the types promise, held by the compiler: `tsc` reads this file, nothing runs it.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import {
  Assistant,
  type AssistantOptions,
  demoModel,
  type ErrorCode,
  type Json,
  type JsonObject,
  type Principal,
  type Run,
  type RunEvent,
  type RunOptions,
  type RunResult,
  StewardError,
  type ToolSchema,
  tool,
} from '../../src/index.ts';

const assistant = new Assistant({ model: demoModel() });

// The answer has the type of the schema that was given with the question.
const weather = z.object({ city: z.string(), degrees: z.number().default(0) });
const weather3 = z3.object({ city: z3.string(), degrees: z3.number().default(0) });
type Weather = { city: string; degrees: number };
expectTypeOf(assistant.run('Hi', { output: weather })).toEqualTypeOf<Run<Weather>>();
expectTypeOf(assistant.run('Hi', { output: weather3 })).toEqualTypeOf<Run<Weather>>();
expectTypeOf(assistant.run('Hi', { output: { type: 'object' } })).toEqualTypeOf<Run<JsonObject>>();
const result = await assistant.run('Hi', { output: weather, userId: 'ann' }).result();
expectTypeOf(result.output).toEqualTypeOf<Weather | undefined>();
expectTypeOf(result.status).toEqualTypeOf<'completed' | 'waiting' | 'cancelled'>();

// Without a schema there is none; where it is not known whether one was given, it is unknown.
expectTypeOf((await assistant.run('Hi').result()).output).toEqualTypeOf<undefined>();
expectTypeOf(
  (await assistant.run('Hi', { userId: 'ann' }).result()).output,
).toEqualTypeOf<undefined>();
const options: RunOptions = { output: weather };
expectTypeOf((await assistant.run('Hi', options).result()).output).toEqualTypeOf<unknown>();
const schema = weather as ToolSchema | undefined;
expectTypeOf(
  (await assistant.run('Hi', { output: schema }).result()).output,
).toEqualTypeOf<unknown>();
// Who comes later knows only that it is JSON.
expectTypeOf((await assistant.attach('run_1').result()).output).toEqualTypeOf<Json | undefined>();
expectTypeOf((await assistant.call('add', { a: 1 }).result()).output).toEqualTypeOf<undefined>();

// A plain `Run` is any run.
const runs: Run[] = [
  assistant.run('Hi'),
  assistant.run('Hi', { output: weather }),
  assistant.call('add', {}),
  assistant.attach('run_1'),
];
expectTypeOf(runs[0]?.result()).toEqualTypeOf<Promise<RunResult> | undefined>();
// @ts-expect-error an answer of one shape is not one of another
const _other: Run<{ town: string }> = assistant.run('Hi', { output: weather });

// Events narrow by their type, as do listeners.
for await (const event of assistant.run('Hi')) {
  expectTypeOf(event).toEqualTypeOf<RunEvent>();
  if (event.type === 'token') expectTypeOf(event.text).toEqualTypeOf<string>();
  if (event.type === 'error') expectTypeOf(event.code).toEqualTypeOf<ErrorCode>();
  // @ts-expect-error not every event has a text
  void event.text;
}
assistant.run('Hi').on('tool_result', (event) => {
  expectTypeOf(event.outcome).toEqualTypeOf<'succeeded' | 'failed' | 'declined' | 'unknown'>();
});
// @ts-expect-error there is no such event
assistant.run('Hi').on('tool_call', () => {});

// The arguments of a tool have the type of its parameters, defaults applied.
const from = (parameters: typeof weather) =>
  tool({
    name: 'weather',
    description: 'The weather',
    parameters,
    confirm: ({ city }) => city !== 'Oslo',
    execute: (args, context) => {
      expectTypeOf(args).toEqualTypeOf<Weather>();
      expectTypeOf(context.principal).toEqualTypeOf<Principal>();
    },
  });
from(weather);
tool({
  name: 'weather',
  description: 'The weather',
  parameters: weather3,
  execute: (args) => expectTypeOf(args).toEqualTypeOf<Weather>(),
});
tool({
  name: 'weather',
  description: 'The weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  execute: (args) => expectTypeOf(args).toEqualTypeOf<JsonObject>(),
});
// @ts-expect-error the schema of arguments is an object
tool({ name: 'x', description: '', parameters: 'string', execute: () => {} });

// What may be absent may be undefined, also under exactOptionalPropertyTypes.
const perhaps = process.env['ANYTHING'];
const given: AssistantOptions = { model: 'gpt-5', instructions: perhaps, limits: undefined };
new Assistant({ ...given, model: { model: 'gpt-5', baseURL: perhaps, apiKey: perhaps } });
assistant.run('Hi', { conversationId: perhaps, requestId: perhaps, tenantId: perhaps });
assistant.attach('run_1', { after: perhaps, tenantId: perhaps });
// @ts-expect-error a limit has a name
new Assistant({ model: 'gpt-5', limits: { turns: 3 } });
// @ts-expect-error an option has a name
assistant.run('Hi', { user: 'ann' });

// A code narrows.
const failure: unknown = undefined;
if (failure instanceof StewardError && failure.code === 'rate_limited') {
  expectTypeOf(failure.code).toEqualTypeOf<'rate_limited'>();
  expectTypeOf(failure.retryAfterMs).toEqualTypeOf<number | undefined>();
}

import { expect, test, vi } from 'vitest';
import { type Executed, openKit } from './kit.ts';

function resultOf({ data: { results } }: Executed) {
  const [result] = results;
  if (result === undefined) throw new Error('no result');
  return result;
}

test('says what it is and what its tools take', async () => {
  const { discover } = await openKit();
  const first = await discover();
  expect(await discover('/.well-known/mcp')).toEqual(first);
  expect(first).toMatchObject({ name: 'kit', version: '1.0.0' });
  expect(first.allowed_tools).toContain('add');
  expect(first.tools[0]).toMatchObject({
    tool_slug: 'add',
    input_schema: { type: 'object', required: ['a', 'b'] },
    annotations: { readOnlyHint: true },
  });
});

test('performs the calls of an envelope and answers in the shape of the contract', async () => {
  const { post, ran } = await openKit();
  const envelope = {
    tools: [
      { tool_slug: 'add', arguments: { a: 2, b: 3 } },
      { tool_slug: 'append', arguments: { line: 'one' } },
    ],
    sync_response_to_workbench: false,
    thought: 'Add and append',
    current_step: 'ADDING',
  };
  const { status, body } = await post(envelope);
  expect(status).toBe(200);
  expect(body).toEqual({
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    successful: true,
    data: {
      results: [
        { tool_slug: 'add', successful: true, response: { sum: 5 }, error: null },
        {
          tool_slug: 'append',
          successful: true,
          response: 'local appended one under true',
          error: null,
        },
      ],
    },
    error: null,
  });
  expect(ran).toEqual(['one']);
});

test('the same request runs once, however often it comes, and even at once', async () => {
  const { execute, ran, metrics } = await openKit();
  const again = () => execute('append', { line: 'once' }, { requestId: 'r1' });
  const answers = [...(await Promise.all([again(), again(), again()])), await again()];
  expect(ran).toEqual(['once']);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.body.requestId).toBe('r1');
  expect(await metrics()).toContain(
    'steward_mcp_tool_calls_total{tool="append",outcome="replayed"} 3',
  );
});

test('what failed is answered the same way when it comes again', async () => {
  const { execute, ran } = await openKit();
  const first = await execute('fail', {}, { requestId: 'r1' });
  expect(first.body).toMatchObject({
    successful: false,
    data: { results: [{ successful: false, response: null }] },
    error: { code: 'tool_failed', message: 'the printer is on fire' },
  });
  expect(await execute('fail', {}, { requestId: 'r1' })).toEqual(first);
  expect(ran).toEqual(['fail']);
});

test('a request id with other calls is a conflict, and nothing of them runs', async () => {
  const { post, execute, ran } = await openKit();
  await execute('append', { line: 'one' }, { requestId: 'r1' });
  const other = [
    { tool_slug: 'append', arguments: { line: 'two' } },
    { tool_slug: 'append', arguments: { line: 'three' } },
  ];
  const { status, body } = await post({ tools: other, requestId: 'r1' });
  expect([status, body.error.code]).toEqual([409, 'request_conflict']);
  expect(ran).toEqual(['one']);
});

test('a call that begins while another of its id runs is a conflict or the same', async () => {
  const { execute, ran, release } = await openKit();
  const hanging = execute('hang', {}, { requestId: 'r1' });
  await vi.waitFor(() => expect(ran).toEqual(['hang']));
  expect((await execute('add', { a: 1, b: 1 }, { requestId: 'r1' })).status).toBe(409);
  const joined = execute('hang', {}, { requestId: 'r1' });
  release();
  expect(await joined).toEqual(await hanging);
  expect(ran).toEqual(['hang', 'released']);
});

test('arguments are checked before anything of the envelope runs', async () => {
  const { post, ran } = await openKit();
  const { status, body } = await post({
    tools: [
      { tool_slug: 'append', arguments: { line: 'one' } },
      { tool_slug: 'add', arguments: { a: 'two' } },
      { tool_slug: 'nothing', arguments: {} },
    ],
  });
  expect([status, body.error.code]).toEqual([400, 'invalid_argument']);
  expect(body.error.details).toEqual([
    { index: 1, tool_slug: 'add', message: expect.stringContaining('a') },
    { index: 2, tool_slug: 'nothing', message: 'there is no such tool' },
  ]);
  expect(ran).toEqual([]);
});

test.each<[string, unknown]>([
  ['no JSON', '{"tools"'],
  ['no object', []],
  ['no calls', { tools: [] }],
  ['too many calls', { tools: Array(51).fill({ tool_slug: 'add' }) }],
  ['a call that is none', { tools: ['add'] }],
  ['a call without a tool', { tools: [{ arguments: {} }] }],
  ['arguments that are none', { tools: [{ tool_slug: 'add', arguments: 'a' }] }],
  ['an id with a line break', { tools: [{ tool_slug: 'late' }], requestId: 'a\nb' }],
  ['an id that is too long', { tools: [{ tool_slug: 'late' }], requestId: 'a'.repeat(201) }],
  ['a flag that is none', { tools: [{ tool_slug: 'late' }], sync_response_to_workbench: 1 }],
  ['a tool of the prototype', { tools: [{ tool_slug: 'constructor' }] }],
])('refuses an envelope with %s', async (_, envelope) => {
  const { post, ran } = await openKit();
  const { status, body } = await post(envelope);
  expect([status, body.successful, body.error.code]).toEqual([400, false, 'invalid_argument']);
  expect(ran).toEqual([]);
});

test('a large result is kept, its beginning is sent, and a tool reads the rest', async () => {
  const { execute } = await openKit({ resultLimitBytes: 4_096 });
  const { body } = await execute('big', { bytes: 100_000 });
  const { response, artifact } = resultOf(body);
  expect(artifact).toMatchObject({ bytes: 100_000, mediaType: 'text/plain' });
  expect(response.length).toBeLessThan(4_096);
  expect(response).toContain('read_result reads any part of it');
  const part = { artifactId: artifact?.artifactId, start: 50_000, length: 10 };
  const read = await execute('read_result', part);
  expect(resultOf(read.body).response).toContain('xxxxxxxxxx');
});

test('a result that is to be kept is kept whatever its size', async () => {
  const { execute } = await openKit();
  const { body } = await execute('add', { a: 1, b: 1 }, { sync_response_to_workbench: true });
  const { response, artifact } = resultOf(body);
  expect(response).toEqual({ sum: 2 });
  const read = await execute('read_result', { artifactId: artifact?.artifactId });
  expect(resultOf(read.body).response).toContain('{"sum":2}');
});

test('a tool that takes too long is given up', async () => {
  const { execute } = await openKit();
  expect((await execute('late')).body.error.code).toBe('tool_timeout');
});

test('a tool that asks a person says that it cannot', async () => {
  const { execute } = await openKit();
  expect((await execute('ask', { what: 'Go' })).body.error).toMatchObject({ code: 'tool_failed' });
});

test('too many calls at once are refused, and none of them runs', async () => {
  const { execute, ran, release } = await openKit({ maxParallelCalls: 1 });
  const hanging = execute('hang');
  await vi.waitFor(() => expect(ran).toEqual(['hang']));
  const { status, body } = await execute('append', { line: 'one' });
  expect([status, body.error.code]).toEqual([429, 'rate_limited']);
  expect(ran).toEqual(['hang']);
  release();
  expect((await hanging).status).toBe(200);
});

test('a write whose process died is not made again; what may be repeated is', async () => {
  const entries = new Map<string, string>();
  // A ledger that remembers what a process that died began, whatever its key.
  const ledger = {
    begin: async (key: string, digest: string) => {
      entries.set(key, digest);
      return { digest, answer: null };
    },
    finish: async () => undefined,
  };
  const { execute, ran } = await openKit({ ledger });
  const lost = await execute('append', { line: 'one' }, { requestId: 'r1' });
  expect(lost.body.error).toMatchObject({ code: 'outcome_unknown' });
  expect((await execute('add', { a: 1, b: 1 }, { requestId: 'r2' })).body.successful).toBe(true);
  expect(ran).toEqual([]);
  expect(entries.size).toBe(2);
});

import type { Client } from '@modelcontextprotocol/client';
import { describe, expect, test, vi } from 'vitest';
import { nativeClient, openKit } from './kit.ts';

const KEY = 'steward/idempotencyKey';

describe.each(['modern', 'legacy'] as const)('a client of the %s era', (era) => {
  async function connect(capabilities = {}) {
    const kit = await openKit();
    const client = await nativeClient(kit.url, era, capabilities);
    return { ...kit, client };
  }

  test('lists and calls the tools that the REST contract has', async () => {
    const { client, discover } = await connect();
    expect(client.getProtocolEra()).toBe(era);
    const { tools } = await client.listTools();
    const { allowed_tools: slugs } = await discover();
    expect(tools.map(({ name }) => name)).toEqual(slugs);
    const result = await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } });
    expect(result).toMatchObject({
      content: [{ type: 'text', text: '{"sum":5}' }],
      structuredContent: { sum: 5 },
    });
  });

  test('is told what is wrong with its arguments, and what failed', async () => {
    const { client } = await connect();
    const wrong = await client.callTool({ name: 'add', arguments: { a: 'x' } });
    expect(wrong).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('a') }],
    });
    const failed = await client.callTool({ name: 'fail', arguments: {} });
    expect(failed).toMatchObject({ isError: true, content: [{ text: 'the printer is on fire' }] });
  });

  test('is answered from the ledger, which both protocols share', async () => {
    const { client, execute, ran } = await connect();
    const call = { name: 'append', arguments: { line: 'once' }, _meta: { [KEY]: 'k1' } };
    const first = await client.callTool(call);
    expect(await client.callTool(call)).toEqual(first);
    const rest = await execute('append', { line: 'once' }, { requestId: 'k1' });
    expect(rest.body.data.results[0]?.response).toBe('local appended once under true');
    expect(ran).toEqual(['once']);
  });

  test('is told of progress, and its cancellation stops the tool', async () => {
    const { client, ran } = await connect();
    const stop = new AbortController();
    const onprogress = vi.fn<(progress: object) => void>();
    const options = { signal: stop.signal, onprogress };
    const call = client.callTool({ name: 'hang', arguments: {} }, options).catch(String);
    await vi.waitFor(() =>
      expect(onprogress).toHaveBeenCalledWith({ progress: 1, total: 2, message: 'half' }),
    );
    stop.abort('enough');
    await call;
    await vi.waitFor(() => expect(ran).toEqual(['hang', 'stopped']));
  });

  test('is asked what the tool asks, round by round, and the tool runs once', async () => {
    const { client, ran } = await connect({ elicitation: { form: {} } });
    const asked = answering(client, [{ yes: true }, null]);
    const result = await client.callTool({ name: 'ask', arguments: { what: 'Go' } });
    expect(result.structuredContent).toEqual({ what: 'Go', first: { yes: true }, second: null });
    expect(asked).toEqual(['Go?', 'Really?']);
    expect(ran).toEqual(['ask Go']);
  });
});

/** Gives these answers, `null` declines; the questions. */
function answering(client: Client, answers: (Record<string, boolean> | null)[]): string[] {
  const asked: string[] = [];
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    asked.push(params.message);
    const content = answers.shift();
    return content ? { action: 'accept', content } : { action: 'decline' };
  });
  return asked;
}

import { expect, test, vi } from 'vitest';
import { StewardError } from '../../src/errors/steward-error.ts';
import { CallGuard } from '../../src/mcp/call-guard.ts';
import type { McpAnswer, McpClient } from '../../src/mcp/mcp-client.ts';
import type { ConnectOptions } from '../../src/mcp/native-client.ts';
import { PooledServer } from '../../src/mcp/pooled-server.ts';
import { inProcessBreakerStore } from '../../src/stores/in-process/in-process-breaker-store.ts';
import { ToolContent } from '../../src/tools/tool-content.ts';
import { toolContext } from '../tools/tool-context.ts';

const tool = {
  name: 'go',
  description: '',
  inputSchema: { type: 'object' },
  outputSchema: undefined,
  annotations: {},
  definition: { name: 'go' },
};
const ok: McpAnswer = {
  kind: 'answered',
  content: new ToolContent([]),
  structured: undefined,
  isError: false,
};

/** A server behind connections that do what the test says, on a clock that moves when the test says. */
function setUp(connect: (options: ConnectOptions, nth: number) => Promise<Partial<McpClient>>) {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  const closed = vi.fn<() => void>();
  let connections = 0;
  const breakers = inProcessBreakerStore({ now: () => now });
  const server = new PooledServer(
    'srv',
    { command: 'x' },
    {
      clock: {
        now: () => now,
        schedule(fn, ms) {
          const timer = { at: now + ms, fn };
          timers.add(timer);
          return () => timers.delete(timer);
        },
      },
      guard: new CallGuard({ server: 'srv', breakers, maxParallelCalls: 3 }),
      onTools: () => undefined,
      pins: null,
      async connect(options) {
        connections += 1;
        const client = await connect(options, connections);
        const close = async () => closed();
        return {
          protocolVersion: null,
          era: null,
          list: async () => ({ tools: [tool], ttlMs: null }),
          prompts: async () => [],
          prompt: async () => [],
          call: async () => ok,
          close,
          ...client,
        };
      },
    },
  );
  return {
    server,
    closed,
    connections: () => connections,
    call: (signal = new AbortController().signal) =>
      server.call({ tool, effect: 'write', args: {}, context: toolContext({ signal }) }),
    advance: (ms: number) => {
      now += ms;
      for (const timer of timers) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.fn();
      }
    },
  };
}

const down = new StewardError('mcp_unavailable', 'down');

test('many calls at once open one connection', async () => {
  const { call, connections, server } = setUp(async () => ({}));
  expect(server.state().status).toBe('idle');
  await Promise.all([call(), call(), server.prepare(), call()]);
  expect(connections()).toBe(1);
  expect(server.state()).toMatchObject({ status: 'ready', tools: 1 });
});

test('a server that cannot be reached is waited for by a call, as long as a restart takes', async () => {
  const { call, connections, server, advance } = setUp((_, nth) =>
    nth < 3 ? Promise.reject(down) : Promise.resolve({}),
  );
  await server.prepare();
  expect(server.state()).toMatchObject({
    status: 'failed',
    error: { code: 'mcp_unavailable', message: 'down' },
  });
  const waiting = call();
  expect(connections()).toBe(1);
  advance(1_000);
  await expect.poll(() => connections()).toBe(2);
  advance(2_000);
  await expect(waiting).resolves.toBe(ok);
});

test('a server that stays away is asked ever more rarely, and calls are refused', async () => {
  const { call, connections, advance } = setUp(() => Promise.reject(down));
  let isOver = false;
  const failed = call().catch((error: unknown) => {
    isOver = true;
    return error;
  });
  for (let rounds = 0; !isOver && rounds < 100; rounds += 1) {
    advance(500);
    await new Promise(setImmediate);
  }
  await expect(failed).resolves.toBe(down);
  expect(connections()).toBeGreaterThan(1);
});

test('a run does not wait for a server that failed before', async () => {
  const { server, advance } = setUp((_, nth) =>
    nth === 1 ? Promise.reject(down) : new Promise(() => undefined),
  );
  await server.prepare();
  advance(1_001);
  await server.prepare();
  await server.prepare();
  expect(server.state().status).toBe('connecting');
});

test('a connection that is not made in time is a failure', async () => {
  const { server, advance } = setUp(
    ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const prepared = server.prepare();
  advance(30_000);
  await prepared;
  expect(server.state()).toMatchObject({
    status: 'failed',
    error: { message: 'no answer in 30 s' },
  });
});

test('a lost connection is opened again by the next call', async () => {
  const lose: (() => void)[] = [];
  const { server, call, connections } = setUp(async ({ onClosed }) => {
    lose.push(onClosed);
    return {};
  });
  await call();
  lose[0]?.();
  expect(server.state()).toMatchObject({ status: 'closed', tools: 1 });
  await call();
  lose[0]?.();
  expect(server.state().status).toBe('ready');
  expect(connections()).toBe(2);
});

test('a call that was refused for lack of a session is sent once more, an ambiguous one never', async () => {
  const calls = vi.fn<() => Promise<McpAnswer>>();
  const { call, connections, closed } = setUp(async () => ({ call: calls }));
  calls.mockResolvedValueOnce({ kind: 'session_lost' }).mockResolvedValueOnce(ok);
  await expect(call()).resolves.toBe(ok);
  expect([calls.mock.calls.length, connections(), closed.mock.calls.length]).toEqual([2, 2, 1]);
  calls.mockResolvedValue({ kind: 'session_lost' });
  await expect(call()).rejects.toMatchObject({ code: 'mcp_unavailable' });
  expect(calls).toHaveBeenCalledTimes(4);
  calls.mockRejectedValue(new StewardError('outcome_unknown', 'gone'));
  await expect(call()).rejects.toMatchObject({ code: 'outcome_unknown' });
  expect(calls).toHaveBeenCalledTimes(5);
});

test('a caller that leaves does not end the connection that others wait for', async () => {
  const opened = Promise.withResolvers<object>();
  const { call, server } = setUp(() => opened.promise);
  const controller = new AbortController();
  const leaving = call(controller.signal);
  const staying = call();
  controller.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  opened.resolve({});
  await expect(staying).resolves.toBe(ok);
  expect(server.state().status).toBe('ready');
});

test('tools that cannot be registered make the server failed and end its connection', async () => {
  const connect = async () => ({
    list: () => Promise.reject(new StewardError('duplicate_tool', 'twice')),
  });
  const { server, closed } = setUp(connect);
  await server.prepare();
  expect(server.state()).toMatchObject({ status: 'failed', error: { code: 'duplicate_tool' } });
  expect(closed).toHaveBeenCalledOnce();
});

test('a listing that fails after a change costs the connection, not the tools', async () => {
  const list = vi.fn<McpClient['list']>(async () => ({ tools: [tool], ttlMs: null }));
  let change: () => void = () => undefined;
  const { server, call, advance } = setUp(async ({ onToolsChanged }) => {
    change = onToolsChanged;
    return { list };
  });
  await call();
  list.mockRejectedValueOnce(down);
  advance(1_000);
  change();
  await expect.poll(() => server.state().status).toBe('closed');
  expect(server.state().tools).toBe(1);
});

test('a server that fails again and again is left alone for a while, then one call tries it', async () => {
  const calls = vi.fn<() => Promise<McpAnswer>>();
  const { call, advance } = setUp(async () => ({ call: calls }));
  calls.mockRejectedValue(new StewardError('outcome_unknown', 'gone'));
  for (let n = 0; n < 5; n += 1) {
    await expect(call()).rejects.toMatchObject({ code: 'outcome_unknown' });
  }
  await expect(call()).rejects.toMatchObject({
    code: 'mcp_unavailable',
    detail: 'MCP server "srv" is temporarily unavailable; try again in 15 s, or go on without it.',
    retryAfterMs: 15_000,
  });
  expect(calls).toHaveBeenCalledTimes(5);
  advance(15_000);
  const { promise, resolve } = Promise.withResolvers<McpAnswer>();
  calls.mockReturnValue(promise);
  const probe = call();
  await expect.poll(() => calls).toHaveBeenCalledTimes(6);
  await expect(call()).rejects.toMatchObject({ code: 'mcp_unavailable' });
  resolve(ok);
  await expect(probe).resolves.toBe(ok);
  await expect(call()).resolves.toBe(ok);
});

test('answers that are failures and calls that are cancelled leave the breaker closed', async () => {
  const calls = vi.fn<() => Promise<McpAnswer>>();
  const { call } = setUp(async () => ({ call: calls }));
  calls.mockRejectedValue(new StewardError('mcp_failed', 'no such thing'));
  for (let n = 0; n < 6; n += 1) await expect(call()).rejects.toMatchObject({ code: 'mcp_failed' });
  for (let n = 0; n < 6; n += 1) {
    const controller = new AbortController();
    calls.mockImplementation(async () => {
      controller.abort(new StewardError('aborted', 'cancelled'));
      throw new StewardError('outcome_unknown', 'aborted');
    });
    await expect(call(controller.signal)).rejects.toMatchObject({ code: 'outcome_unknown' });
  }
  calls.mockResolvedValue(ok);
  await expect(call()).resolves.toBe(ok);
});

test('calls that run out of their time open the breaker', async () => {
  const { call } = setUp(async () => ({
    call: ({ context }) => Promise.reject(context.signal.reason),
  }));
  const late = () => {
    const controller = new AbortController();
    const made = call(controller.signal);
    controller.abort(new StewardError('tool_timeout', 'late'));
    return made;
  };
  for (let n = 0; n < 5; n += 1)
    await expect(late()).rejects.toMatchObject({ code: 'tool_timeout' });
  await expect(call()).rejects.toMatchObject({ code: 'mcp_unavailable' });
});

test('more calls than a server may have at once wait, and leave the queue when they are cancelled', async () => {
  const opened = Promise.withResolvers<McpAnswer>();
  const calls = vi.fn<() => Promise<McpAnswer>>(() => opened.promise);
  const { call } = setUp(async () => ({ call: calls }));
  const running = [call(), call(), call()];
  const controller = new AbortController();
  const waiting = call(controller.signal);
  await expect.poll(() => calls).toHaveBeenCalledTimes(3);
  controller.abort(new Error('left'));
  const next = call();
  opened.resolve(ok);
  await expect(waiting).rejects.toMatchObject({ name: 'Error' });
  await expect(Promise.all([...running, next])).resolves.toEqual([ok, ok, ok, ok]);
  expect(calls).toHaveBeenCalledTimes(4);
});

test('a listing is asked for again when the server said that it grows old, not before', async () => {
  const list = vi.fn<McpClient['list']>(async () => ({ tools: [tool], ttlMs: 60_000 }));
  const { server, call, advance } = setUp(async () => ({ list }));
  await call();
  advance(59_999);
  await server.prepare();
  expect(list).toHaveBeenCalledOnce();
  advance(1);
  await server.prepare();
  expect(list).toHaveBeenCalledTimes(2);
});

test('a server that says without end that its tools changed is listed once a second', async () => {
  const list = vi.fn<McpClient['list']>(async () => ({ tools: [tool], ttlMs: null }));
  let change: () => void = () => undefined;
  const { call, advance } = setUp(async ({ onToolsChanged }) => {
    change = onToolsChanged;
    return { list };
  });
  await call();
  for (let n = 0; n < 1_000; n += 1) change();
  expect(list).toHaveBeenCalledOnce();
  advance(1_000);
  for (let n = 0; n < 1_000; n += 1) change();
  expect(list).toHaveBeenCalledTimes(2);
});

test('closing ends a connection that is being opened', async () => {
  const { server, call } = setUp(
    ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const waiting = call().catch((error: unknown) => error);
  await server.close();
  await expect(waiting).resolves.toMatchObject({ code: 'closed' });
  expect(server.state().status).toBe('closed');
  await expect(call()).rejects.toMatchObject({ code: 'closed' });
});

import { describe, expect, onTestFinished, test } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { httpProbe, type Restartable, stdioProbe } from './servers/restartable.ts';

/** 10 in CI, any number by hand: `MCP_ROUNDS=100 npm test -- packages/core/test/mcp/restarts.test.ts`. */
const rounds = Number(process.env['MCP_ROUNDS'] ?? (process.env['CI'] === 'true' ? 10 : 2));
const timeout = 120_000 + rounds * 12_000;

/** A write ran once and nobody knows, what may be repeated was repeated, and the next call worked. */
const interrupted = {
  outcomes: ['unknown', 'succeeded', 'succeeded'],
  next: 'succeeded',
  ran: [1, 1],
};

async function setUp(open: () => Promise<Restartable>) {
  const server = await open();
  const assistant = new Assistant({
    model: scriptedModel([{ text: 'Hello.' }]),
    mcp: {
      probe: {
        ...server.config,
        confirm: 'never',
        effects: { save: 'write_idempotent', look: 'read' },
      },
    },
  });
  onTestFinished(async () => {
    await assistant.close();
    await server.close();
  });
  /** How a call ended. */
  async function call(tool: string, what: string) {
    for await (const event of assistant.call(`probe__${tool}`, { what })) {
      if (event.type === 'tool_result') return { outcome: event.outcome, content: event.content };
    }
    throw new Error('no result');
  }
  const times = (line: string) => server.ledger().filter((entry) => entry === line).length;
  /** Makes the calls that are answered only when they are made again, and breaks what carries them. */
  async function interrupt(round: number, breakIt: () => Promise<void>) {
    const tools = ['change', 'save', 'look'];
    const calls = tools.map((tool) => call(tool, `stop${round}`));
    const begun = () => tools.map((tool) => times(`${tool} stop${round}`));
    await expect.poll(begun).toEqual([1, 1, 1]);
    await breakIt();
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
    const { outcome: next } = await call('change', `after${round}`);
    return {
      outcomes,
      next,
      ran: [times(`change stop${round}`), times(`change after${round}`)],
    };
  }
  return { server, call, times, interrupt };
}

describe.each([
  ['stdio, 2026-07-28', () => stdioProbe('modern')],
  ['stdio, sessions', () => stdioProbe('old')],
  ['streamable HTTP, 2026-07-28', () => httpProbe('modern')],
  ['streamable HTTP, sessions', () => httpProbe('sessions')],
  ['SSE', () => httpProbe('sse')],
] as const)('over %s', (_, open) => {
  test(
    'a server that restarts between calls is called again, and every call runs once',
    async () => {
      const { server, call, times } = await setUp(open);
      for (let round = 0; round < rounds; round += 1) {
        for (const when of ['before', 'after']) {
          const what = `${when}${round}`;
          expect(await call('change', what)).toEqual({
            outcome: 'succeeded',
            content: `change ${what}`,
          });
          expect(times(`change ${what}`)).toBe(1);
          if (when === 'before') await server.restart();
        }
      }
    },
    timeout,
  );

  test(
    'a server that restarts in calls: a write is unknown and ran once, what may be repeated is repeated',
    async () => {
      const { server, interrupt } = await setUp(open);
      for (let round = 0; round < rounds; round += 1) {
        expect(await interrupt(round, () => server.restart())).toEqual(interrupted);
      }
    },
    timeout,
  );
});

describe.each([
  ['streamable HTTP, 2026-07-28', () => httpProbe('modern')],
  ['streamable HTTP, sessions', () => httpProbe('sessions')],
  ['SSE', () => httpProbe('sse')],
] as const)('over %s', (_, open) => {
  test(
    'a connection that is cut after the call ran: a write is unknown and ran once',
    async () => {
      const { server, interrupt } = await setUp(open);
      for (let round = 0; round < rounds; round += 1) {
        expect(await interrupt(round, async () => server.drop?.())).toEqual(interrupted);
      }
    },
    timeout,
  );
});

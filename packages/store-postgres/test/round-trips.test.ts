import { Assistant, type AssistantOptions, type Tool, tool } from '@steward/core';
import { type ScriptedTurn, scriptedModel } from '@steward/core/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PostgresStores, postgresStores } from '../src/index.ts';
import { databases, type TestStores } from './drivers.ts';

const [server] = databases;

/** Done for all runs of a process together, every second or two. */
const forAll = new Set(['sweep_runs', 'renew_leases']);

/** What was asked of the server: each statement is a round trip of its own. */
const asked: string[] = [];

/** The name of the function that a statement calls, and so of the verb. */
const verbOf = (text: string) => /^select "\w+"\.(\w+)\(/.exec(text)?.[1] ?? text;

function listen(client: pg.PoolClient): void {
  const query: unknown = Reflect.get(client, 'query');
  if (typeof query !== 'function') throw new TypeError('A client without query');
  const noting = (text: string, ...rest: unknown[]): unknown => {
    const verb = verbOf(text);
    if (!forAll.has(verb)) asked.push(verb);
    return Reflect.apply(query, client, [text, ...rest]);
  };
  Object.assign(client, { query: noting });
}

function toolOf(name: string, confirm: 'always' | 'never'): Tool {
  const parameters = { type: 'object', properties: {} };
  const execute = () => 'done';
  return tool({ name, description: 'Does it', parameters, effect: 'write', confirm, execute });
}

const tools = [toolOf('now', 'never'), toolOf('asks', 'always')];
const calling = (...names: string[]): ScriptedTurn => ({
  toolCalls: names.map((name) => ({ name, args: {} })),
});
const model = { create: 'create_run', commit: 'commit_turn', finish: 'finish_run' };
const call = ['start_call', 'finish_call'];

describe.skipIf(inject('postgresUrl') === null)('what a run asks of the server', () => {
  const pool = new pg.Pool({ connectionString: inject('postgresUrl') ?? '', max: 2 });
  pool.on('connect', listen);
  let sound: TestStores;
  let stores: PostgresStores;

  beforeAll(async () => {
    if (server === undefined) throw new Error('no server');
    sound = await server.open();
    stores = await postgresStores({ pool, schema: sound.schema });
  });

  afterAll(async () => {
    await stores.close();
    await pool.end();
    await server?.close(sound);
  });

  /** An assistant that says these turns. */
  function speaking(turns: readonly ScriptedTurn[], options: Partial<AssistantOptions> = {}) {
    asked.length = 0;
    return new Assistant({ stores, tools, model: scriptedModel(turns), ...options });
  }

  it('three times without tools, also when its events are read', async () => {
    await using assistant = speaking([{ text: 'one two three' }]);
    for await (const event of assistant.run('Go')) void event;
    expect(asked).toEqual([model.create, model.commit, model.finish]);
  });

  it('three times in a conversation that has a history', async () => {
    await using assistant = speaking([{ text: 'one' }, { text: 'two' }]);
    for await (const event of assistant.run('Go', { conversationId: 'c-1' })) void event;
    asked.length = 0;
    for await (const event of assistant.run('On', { conversationId: 'c-1' })) void event;
    expect(asked).toEqual([model.create, model.commit, model.finish]);
  });

  it('once more for its result', async () => {
    await using assistant = speaking([{ text: 'one two three' }]);
    expect(await assistant.run('Go').text()).toBe('one two three');
    expect(asked).toEqual([model.create, model.commit, model.finish, 'load_run']);
  });

  it('three times more for each tool call, result or not', async () => {
    await using assistant = speaking([calling('now'), calling('now'), { text: 'Done.' }]);
    expect(await assistant.run('Go').text()).toBe('Done.');
    expect(asked).toEqual([
      model.create,
      model.commit,
      ...call,
      model.commit,
      ...call,
      model.commit,
      model.finish,
      'load_run',
    ]);
  });

  it('twice for each further call of a turn', async () => {
    await using assistant = speaking([calling('now', 'now', 'now'), { text: 'Done.' }]);
    for await (const event of assistant.run('Go')) void event;
    expect(asked).toHaveLength(3 + 1 + 3 * call.length);
  });

  it('once to ask a person, once to decide and once to go on', async () => {
    await using assistant = speaking([calling('asks'), { text: 'Done.' }]);
    const run = assistant.run('Go');
    for await (const event of run) {
      if (event.type !== 'tool_request') continue;
      const { callId, argsDigest } = event;
      await assistant.confirm(run.id, callId, { approve: true, argsDigest });
    }
    // Who reads it looks at its head when somebody claims it.
    expect(asked.filter((verb) => !['run_heads', 'load_run'].includes(verb))).toEqual([
      model.create,
      model.commit,
      'pause_run',
      'decide_call',
      'claim_run',
      ...call,
      model.commit,
      model.finish,
    ]);
  });

  it('four times for one tool call of the host', async () => {
    await using assistant = speaking([]);
    for await (const event of assistant.call('now', {})) void event;
    expect(asked).toEqual([model.create, model.commit, ...call, model.finish]);
  });
});

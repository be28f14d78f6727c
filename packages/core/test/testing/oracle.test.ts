import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Assistant } from '../../src/assistant.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { CallRecord, ConfirmationRecord, RunEnd } from '../../src/stores/run-store.ts';
import { brokenPromises } from '../../src/testing/oracle/broken-promises.ts';
import {
  type EffectRecord,
  type Evidence,
  evidenceOf,
  type Invariant,
  type RunEvidence,
} from '../../src/testing/oracle/evidence.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import { all } from './all.ts';

const reader = { tenantId: 'default', userId: 'local' };

/** What is known of a run that asked, acted and answered, and of which nothing went wrong. */
async function livedThrough() {
  const stores = inProcessStores();
  const effects: EffectRecord[] = [];
  const assistant = new Assistant({
    stores,
    model: scriptedModel([
      { text: 'One moment. ', toolCalls: [{ name: 'send', args: { to: 'ann' } }] },
      { text: ['It is ', 'sent.'] },
    ]),
    tools: [
      tool({
        name: 'send',
        description: 'Sends',
        parameters: z.object({ to: z.string() }),
        execute: (args, { idempotencyKey }) => {
          effects.push({ callId: idempotencyKey, applied: true, args });
        },
      }),
    ],
  });
  const run = assistant.run('Send it');
  const events = all(run);
  const [asked] = (await run.result()).confirmations;
  await run.confirm(asked?.callId ?? '', { approve: true });
  const readings = [{ runId: run.id, reader, events: await events }];
  await assistant.close();
  const [evidence] = await evidenceOf(stores, [run.id]);
  if (!evidence) throw new Error('no evidence');
  return { evidence, accepted: [run.id], effects, readings };
}

let honest: Awaited<ReturnType<typeof livedThrough>>;

beforeAll(async () => {
  honest = await livedThrough();
});

type Plant = (given: typeof honest) => Partial<Evidence>;

const withRun = (change: (evidence: RunEvidence) => Partial<RunEvidence>): Plant => {
  return ({ evidence }) => ({ runs: [{ ...evidence, ...change(evidence) }] });
};

const withEnd = (end: Partial<RunEnd> | null): Plant =>
  withRun(({ run }) => ({ run: { ...run, end: end && run.end && { ...run.end, ...end } } }));

const withCall = (change: (call: CallRecord) => Partial<CallRecord>): Plant =>
  withRun(({ run }) => ({
    run: { ...run, calls: run.calls.map((call) => ({ ...call, ...change(call) })) },
  }));

const withConfirmation = (change: Partial<ConfirmationRecord>): Plant =>
  withCall(({ confirmation }) => ({
    confirmation: confirmation && { ...confirmation, ...change },
  }));

const withEvents = (change: (events: RunEvent[]) => readonly RunEvent[]): Plant =>
  withRun(({ run, events }) => {
    const changed = change(events.map(({ event }) => event));
    return {
      run: { ...run, eventCount: changed.length },
      events: changed.map((event, index) => ({ n: index + 1, event })),
    };
  });

const withReading = (change: (events: readonly RunEvent[]) => readonly RunEvent[]): Plant => {
  return ({ readings }) => ({
    readings: readings.map((one) => ({ ...one, events: change(one.events) })),
  });
};

const withEffects = (change: (effect: EffectRecord) => readonly EffectRecord[]): Plant => {
  return ({ effects }) => ({ effects: effects.flatMap(change) });
};

const without = (action: string): Plant =>
  withRun(({ audit }) => ({ audit: audit.filter((entry) => entry.action !== action) }));

const planted: readonly (readonly [Invariant, string, Plant])[] = [
  ['I1', 'a run that was accepted is lost', () => ({ accepted: ['run-2'] })],
  ['I1', 'a run has not ended', withEnd(null)],
  [
    'I1',
    'a run ended long after its deadline',
    withRun(({ run }) => ({ run: { ...run, deadlineAt: run.createdAt - 30_000 } })),
  ],
  ['I2', 'a run ends twice', withEvents((events) => [...events, ...events.slice(-1)])],
  ['I2', 'a run has no terminal event', withEvents((events) => events.slice(0, -1))],
  [
    'I2',
    'something happens after the end',
    withEvents((events) => [...events, ...events.slice(0, 1)]),
  ],
  ['I2', 'the log tells another end', withEnd({ finishReason: 'length' })],
  ['I3', 'an effect happens twice', withEffects((effect) => [effect, effect])],
  [
    'I3',
    'a write is asked for twice',
    withEffects((effect) => [effect, { ...effect, applied: false }]),
  ],
  ['I3', 'what succeeded never happened', withEffects(() => [])],
  ['I3', 'an effect has other arguments', withEffects((effect) => [{ ...effect, args: {} }])],
  [
    'I3',
    'an effect is in no ledger',
    withEffects((effect) => [effect, { callId: 'call-2', applied: true }]),
  ],
  ['I3', 'a write is started twice', withCall(() => ({ starts: 2 }))],
  ['I3', 'a call succeeded that was never started', withCall(() => ({ starts: 0 }))],
  ['I3', 'nobody allowed a start', withCall(() => ({ startedBy: null }))],
  ['I3', 'nobody was asked', withCall(() => ({ confirmation: null }))],
  ['I3', 'the start was declined', withConfirmation({ status: 'declined' })],
  ['I3', 'the start was never approved', withConfirmation({ status: 'pending' })],
  ['I3', 'other arguments were approved', withConfirmation({ argsDigest: 'other' })],
  ['I3', 'another tool was approved', withConfirmation({ definitionHash: 'other' })],
  ['I3', 'somebody else approved', withConfirmation({ decidedBy: 'eve' })],
  [
    'I4',
    'an event is lost',
    withRun(({ events }) => ({ events: events.filter(({ n }) => n !== 2) })),
  ],
  ['I4', 'the newest event is lost', withRun(({ events }) => ({ events: events.slice(0, -1) }))],
  ['I4', 'two events have one place', withEvents((events) => [...events.slice(0, 1), ...events])],
  [
    'I4',
    'an owner writes after its successor',
    withEvents((events) =>
      events.map((event, index) => (index === 1 ? { ...event, cursor: '3-1' } : event)),
    ),
  ],
  [
    'I4',
    'the result of a call is not told',
    withEvents((events) => events.filter(({ type }) => type !== 'tool_result')),
  ],
  ['I5', 'a client is not told of the end', withReading((events) => events.slice(0, -1))],
  [
    'I5',
    'a client misses a durable event',
    withReading((events) => events.filter(({ type }) => type !== 'tool_started')),
  ],
  [
    'I5',
    'a client reads an event twice',
    withReading((events) => [...events.slice(0, 2), ...events.slice(1)]),
  ],
  [
    'I5',
    'a client reads another text',
    withReading((events) =>
      events.filter((event) => !(event.type === 'token' && event.text === 'sent.')),
    ),
  ],
  [
    'I6',
    'a question is there twice',
    withRun(({ messages }) => ({ messages: [...messages.slice(0, 1), ...messages] })),
  ],
  [
    'I6',
    'an answer is there twice',
    withRun(({ messages }) => ({ messages: [...messages, ...messages.slice(-1)] })),
  ],
  ['I6', 'the answer is missing', withRun(({ messages }) => ({ messages: messages.slice(0, 1) }))],
  [
    'I6',
    'the answer is another one',
    withRun(({ messages }) => ({
      messages: messages.map((message) => ({ ...message, content: 'Other' })),
    })),
  ],
  [
    'I7',
    'an audit record was changed',
    withRun(({ audit }) => ({ audit: audit.map((entry) => ({ ...entry, userId: 'eve' })) })),
  ],
  ['I7', 'a start is not recorded', without('call.started')],
  ['I7', 'the end of a call is not recorded', without('call.finished')],
  ['I7', 'an approval is not recorded', without('confirmation.approved')],
  ['I7', 'the end of the run is not recorded', without('run.ended')],
  [
    'I7',
    'a decision is recorded twice',
    withRun(({ audit }) => ({ audit: [...audit.slice(0, 1), ...audit] })),
  ],
  [
    'I8',
    'a stranger is shown a run',
    ({ readings }) => ({
      readings: readings.map((one) => ({ ...one, reader: { ...reader, userId: 'eve' } })),
    }),
  ],
  [
    'I8',
    'a client is shown an event of another run',
    withReading((events) => events.map((event) => ({ ...event, runId: 'run-2' }))),
  ],
  ['I9', 'memory grows', () => ({ resources: [{ name: 'rss', before: 100, after: 111 }] })],
  ['I9', 'connections stay', () => ({ resources: [{ name: 'pg', before: 4, after: 6 }] })],
  ['I10', 'a run waits for an owner', () => ({ recoveries: [{ runId: 'run-1', ms: 15_001 }] })],
  ['I11', 'a process fails', () => ({ incidents: ['replica 2: unhandled rejection'] })],
];

function judge(plant?: Plant) {
  const { evidence, ...rest } = honest;
  return brokenPromises({ runs: [evidence], ...rest, ...plant?.(honest) });
}

describe('the oracle', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(judge()).toEqual([]);
    const resources = [{ name: 'rss', before: 100, after: 109 }];
    const stranger = { tenantId: 'default', userId: 'eve' };
    const denied = { type: 'error', code: 'not_found', message: '', retryable: false } as const;
    const [runId = ''] = honest.accepted;
    const at = { runId, at: 1, cursor: '0-0', partialText: '' };
    const readings = [{ runId, reader: stranger, events: [{ ...denied, ...at }] }];
    expect(judge(() => ({ resources, readings }))).toEqual([]);
  });

  it('takes the end for what was read where a state without the answer came before', () => {
    const [reading] = honest.readings;
    const end = reading?.events.at(-1);
    const start = reading?.events[0];
    if (!reading || !end || !start) throw new Error('no reading');
    const snapshot: RunEvent = {
      ...start,
      type: 'snapshot',
      cursor: '1-snapshot',
      status: 'running',
      conversationId: 'c',
      messages: [],
      turn: 3,
      openText: '',
      confirmations: [],
      inputs: [],
    };
    expect(judge(() => ({ readings: [{ ...reading, events: [snapshot, end] }] }))).toEqual([]);
  });

  it.each(planted)('%s: finds that %s', (invariant, _what, plant) => {
    expect(judge(plant)).toContainEqual(expect.objectContaining({ invariant }));
  });

  it('says which run and which call', () => {
    const [runId] = honest.accepted;
    const callId = honest.effects[0]?.callId;
    expect(judge(withEffects((effect) => [effect, effect]))).toContainEqual({
      invariant: 'I3',
      runId,
      callId,
      found: 'the effect happened 2 times',
    });
  });

  it('has a planted fault for every invariant', () => {
    const known = Array.from({ length: 11 }, (_, index) => `I${index + 1}`);
    expect([...new Set(planted.map(([invariant]) => invariant))]).toEqual(known);
  });
});

import type { RunEvent } from '@steward/core';
import { describe, expect, test } from 'vitest';
import { applyEvent, openView } from '../public/run-view.js';

const common = { runId: 'run', at: 1, cursor: '1-1' } as const;

const said = (turn: number, text: string): RunEvent => ({ ...common, type: 'token', turn, text });

/** The whole state, as a reader gets it whose cursor cannot be served. */
function snapshot(turn: number, openText: string, answer?: string): RunEvent {
  const message = { messageId: 'm1', runId: 'run', role: 'assistant', at: 1 } as const;
  return {
    ...common,
    type: 'snapshot',
    status: answer === undefined ? 'running' : 'succeeded',
    conversationId: 'c',
    messages: answer === undefined ? [] : [{ ...message, content: answer }],
    turn,
    openText,
    confirmations: [],
    inputs: [],
  };
}

function shown(...events: RunEvent[]): string[] {
  const view = openView('run', 'a question');
  for (const event of events) applyEvent(view, event);
  return view.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
}

describe('a page that is told the whole state', () => {
  test('drops what it showed of the open turn when its tokens are told again', () => {
    expect(shown(said(1, 'one '), snapshot(1, ''), said(1, 'one '), said(1, 'two'))).toEqual([
      'one two',
    ]);
  });

  test('drops what it showed of a turn that the snapshot does not know yet', () => {
    const events = [said(1, 'See.'), said(2, 'one '), snapshot(1, 'See.'), said(2, 'one two')];
    expect(shown(...events)).toEqual(['See.', 'one two']);
  });

  test('goes on from the open text', () => {
    expect(shown(said(1, 'on'), snapshot(1, 'one '), said(1, 'two'))).toEqual(['one two']);
  });

  test('keeps the turns before', () => {
    expect(shown(said(1, 'See.'), said(2, 'one'), snapshot(2, ''))).toEqual(['See.']);
  });

  test('has the answer of a run that has ended once and whole', () => {
    expect(shown(snapshot(2, '', 'one two'))).toEqual(['one two']);
    expect(shown(said(1, 'one '), snapshot(2, '', 'one two'))).toEqual(['one two']);
    expect(shown(said(1, 'one two'), snapshot(2, '', 'one two'))).toEqual(['one two']);
    const cutShort = [said(1, 'See.'), said(2, 'one '), snapshot(2, '', 'one two')];
    expect(shown(...cutShort)).toEqual(['See.', 'one two']);
  });
});

import type { ModelClient, ModelRequest } from '@steward/core';
import { type ScriptedTurn, scriptedModel } from '@steward/core/testing';

/** What a test lets go on when it has seen enough. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** What the user said last, and whether a tool has answered since. */
export interface Asked {
  readonly text: string;
  readonly toolAnswer: string | undefined;
  readonly request: ModelRequest;
}

function askedIn(request: ModelRequest): Asked {
  const user = request.messages.findLast((message) => message.role === 'user');
  const last = request.messages.at(-1);
  const toolAnswer = last?.role === 'tool' ? last.content : undefined;
  const text = typeof user?.content === 'string' ? user.content : '';
  return { text, toolAnswer, request };
}

/** A model whose turn depends on what was said last; `held` parts of its answer wait for their gate. */
export function fixtureModel(
  turnFor: (asked: Asked) => ScriptedTurn,
  held: { readonly [text: string]: Gate } = {},
): ModelClient {
  const script = scriptedModel((request) => turnFor(askedIn(request)));
  return {
    async *stream(request, options) {
      const gate = held[askedIn(request).text];
      let pieces = 0;
      for await (const event of script.stream(request, options)) {
        yield event;
        pieces += event.type === 'text' ? 1 : 0;
        if (gate && pieces === heldAfter) await gate.opened;
      }
    },
  };
}

/** How many pieces of a held answer come before its gate. */
const heldAfter = 40;

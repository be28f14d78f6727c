// Requests of clients: each is bounded in time, and each may fail in any way.
import { Agent, type IncomingMessage, request } from 'node:http';
import type { RunEvent } from '@steward/core';

/** A server that says nothing for so long is taken for dead: it sends comments more often. */
const silenceMs = 3_000;
const data = 'data: ';
const agent = new Agent({ keepAlive: true });

export interface Asked {
  readonly url: string;
  readonly userId: string;
  /** Posted as JSON. */
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  readonly code: string | undefined;
}

/** Asks for an answer; throws when none comes. */
export async function ask(asked: Asked): Promise<Answer> {
  const response = await send(asked);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const { code } = (text === '' ? {} : JSON.parse(text)) as { code?: string };
  return { status: response.statusCode ?? 0, code };
}

/** The events of a stream, until it ends, breaks, or the reader leaves. Throws when it breaks. */
export async function* eventsFrom(asked: Asked): AsyncGenerator<RunEvent> {
  const response = await send(asked);
  try {
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    let rest = '';
    for await (const chunk of response.setEncoding('utf8')) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks.filter((one) => one.startsWith(data))) {
        yield JSON.parse(block.slice(data.length)) as RunEvent;
      }
    }
  } finally {
    response.destroy();
  }
}

function send({ url, userId, body }: Asked): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, { agent, method, headers: { 'x-user': userId } }, resolve);
    sent.setTimeout(silenceMs, () => sent.destroy(new Error('silence')));
    sent.once('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

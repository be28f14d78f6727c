// The provider, in a process of its own: it says what a run's plan asks for, and goes wrong now and then.
import { type OpenAiReply, seededRandom, startOpenAiServer } from '@steward/core/testing';
import { planIn } from './plan.ts';
import { reportReady } from './reporting.ts';

const seed = Number(process.argv[2]);

interface WireMessage {
  readonly role: string;
  readonly content: unknown;
}

/** Every word names the request that it answers: two generations of a turn cannot be taken for one. */
function reply(n: number, messages: readonly WireMessage[]): OpenAiReply {
  const random = seededRandom(seed * 1_000_003 + n);
  const at = messages.findLastIndex(({ content }) => planIn(content) !== undefined);
  const plan = planIn(messages[at]?.content);
  if (!plan) return { status: 400, error: { message: 'There is no plan in the request.' } };
  const turn = messages.slice(at).filter(({ role }) => role === 'assistant').length;
  const text = Array.from(
    { length: plan.words },
    (_, index) => `${plan.task}.${turn}.${n}.${index} `,
  );
  const calls = plan.turns[turn] ?? [];
  return {
    text,
    toolCalls: calls.map((name) => ({ name, args: { n: random.integer(0, 9) } })),
    latency: { headers: random.integer(0, 20), piece: random.integer(0, 8) },
    ...fault(random.float(), random.integer(0, plan.words)),
  };
}

function fault(fate: number, after: number): OpenAiReply {
  if (fate < 0.01) return { status: 500 };
  if (fate < 0.02) return { status: 429, retryAfter: 1 };
  if (fate < 0.03) return { cutAfter: after };
  if (fate < 0.04) return { errorAfter: after };
  if (fate < 0.045) return { stallAfter: after };
  return {};
}

const server = await startOpenAiServer({
  reply: ({ n, body }) => reply(n, body['messages'] as readonly WireMessage[]),
});
reportReady(server.baseURL);

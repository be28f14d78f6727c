// Answers of Chat Completions; the chunks have the shape of recorded ones, padding included.
import { tokenText } from '../lib/protocol.mjs';
import { callsOf } from './tool-calls.mjs';

const padding = 'abcdefghijklmnop';
const json = JSON.stringify;

const headOf = (id) =>
  `data: {"id":"chatcmpl-D8Z5oo6uDh67AD85${id}","object":"chat.completion.chunk","created":1770933892,` +
  '"model":"gpt-4.1-nano-2025-04-14","service_tier":"default","system_fingerprint":"fp_de604bd877","choices":';

const choice = (delta, reason = null) =>
  `[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${json(reason)}}]`;

const usageChunk = (tokens) =>
  `[],"usage":{"prompt_tokens":60,"completion_tokens":${tokens},"total_tokens":${60 + tokens},` +
  '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},' +
  '"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,' +
  '"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":"a"}\n\n';

/** Everything after the head of the n-th token: the same in each answer, so written once. */
const tokenRests = new Map();

function restsOf(count, tail) {
  const key = `${count} ${tail('')}`;
  if (!tokenRests.has(key)) {
    const rests = Array.from({ length: count }, (_, index) => {
      const text = tokenText(index);
      const pad = padding.slice(0, Math.max(1, 10 - text.length));
      return choice(`{"content":${json(text)}}`) + tail(pad);
    });
    tokenRests.set(key, rests);
  }
  return tokenRests.get(key);
}

function callFrames(calls, name, write) {
  return calls.flatMap(({ id, parts }, index) => {
    const open = `"tool_calls":[{"index":${index},"id":"${id}","type":"function","function":{"name":"${name}","arguments":""}}]`;
    const first =
      index === 0 ? `{"role":"assistant","content":null,${open},"refusal":null}` : `{${open}}`;
    const more = parts.map(
      (part) => `{"tool_calls":[{"index":${index},"function":{"arguments":${json(part)}}}]}`,
    );
    return [first, ...more].map((delta) => write(choice(delta), padding.slice(0, 12)));
  });
}

/** The frames of one answer: what comes before the tokens, each token, and what follows. */
export function chatAnswer(body, { tokens }, id) {
  const head = headOf(id);
  const withUsage = body.stream_options?.include_usage === true;
  const tail = (pad) => `${withUsage ? ',"usage":null' : ''},"obfuscation":"${pad}"}\n\n`;
  const write = (choices, pad) => head + choices + tail(pad);
  const calls = callsOf(body, true);
  const rests = calls.length > 0 ? [] : restsOf(tokens, tail);
  const before =
    calls.length > 0
      ? callFrames(calls, body.tools[0].function.name, write)
      : [write(choice('{"role":"assistant","content":"","refusal":null}'), padding.slice(0, 8))];
  const after = [
    write(choice('{}', calls.length > 0 ? 'tool_calls' : 'stop'), padding.slice(0, 4)),
  ];
  if (withUsage) after.push(head + usageChunk(rests.length || 20));
  return {
    before: before.join(''),
    count: rests.length,
    token: (index) => head + rests[index],
    tokens: () => (rests.length > 0 ? head + rests.join(head) : ''),
    after: `${after.join('')}data: [DONE]\n\n`,
  };
}

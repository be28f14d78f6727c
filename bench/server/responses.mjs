// Answers of the Responses API; the events have the shape of recorded ones, padding included.
import { tokenText } from '../lib/protocol.mjs';
import { callsOf } from './tool-calls.mjs';

const padding = 'abcdefghijklmnop';
const json = JSON.stringify;
const event = (type, body) => `event: ${type}\ndata: {"type":"${type}",${body}}\n\n`;

function responseObject(id, body, { status, output, usage }) {
  return (
    `"response":{"id":"resp_0775572d10a16b66006a8d85285ef487d2ae${id}","object":"response","created_at":1787659560,` +
    `"status":"${status}","background":false,"completed_at":null,"error":null,"frequency_penalty":0,` +
    '"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,' +
    `"model":"gpt-4.1-nano-2025-04-14","output":${output},"parallel_tool_calls":true,"presence_penalty":0,` +
    '"previous_response_id":null,"prompt_cache_key":null,"prompt_cache_retention":"in_memory",' +
    '"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":true,' +
    '"temperature":1,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto",' +
    `"tools":${json(body.tools ?? [])},"top_logprobs":0,"top_p":1,"truncation":"disabled","usage":${usage},` +
    '"user":null,"metadata":{}}'
  );
}

const usageOf = (tokens) =>
  '{"input_tokens":60,"input_tokens_details":{"cached_tokens":0},' +
  `"output_tokens":${tokens},"output_tokens_details":{"reasoning_tokens":0},"total_tokens":${60 + tokens}}`;

/** Each token in two halves around the id of its message: the same in each answer, so written once. */
const tokenHalves = new Map();

function halvesOf(count) {
  if (!tokenHalves.has(count)) {
    const halves = Array.from({ length: count }, (_, index) => {
      const text = tokenText(index);
      const pad = padding.slice(0, Math.max(1, 16 - text.length));
      return [
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","content_index":0,' +
          `"delta":${json(text)},"item_id":"msg_0775572d10a16b66006a8d8528e8a887d2a3`,
        `","logprobs":[],"obfuscation":"${pad}","output_index":0,"sequence_number":${index + 4}}\n\n`,
      ];
    });
    tokenHalves.set(count, halves);
  }
  return tokenHalves.get(count);
}

const texts = new Map();

function textOf(count) {
  if (!texts.has(count)) {
    texts.set(count, Array.from({ length: count }, (_, index) => tokenText(index)).join(''));
  }
  return texts.get(count);
}

function callEvents(calls, name, id, number) {
  const output = [];
  const events = calls.flatMap(({ id: callId, parts }, index) => {
    const itemId = `fc_0775572d10a16b66006a8d8528e8a887d2a3${id}${index}`;
    const item = (status, args) =>
      `{"id":"${itemId}","type":"function_call","status":"${status}","arguments":${json(args)},` +
      `"call_id":"${callId}","name":"${name}"}`;
    const whole = parts.join('');
    const place = () => `"output_index":${index},"sequence_number":${number()}`;
    output.push(item('completed', whole));
    return [
      event('response.output_item.added', `"item":${item('in_progress', '')},${place()}`),
      ...parts.map((part) =>
        event(
          'response.function_call_arguments.delta',
          `"delta":${json(part)},"item_id":"${itemId}","obfuscation":"${padding.slice(0, 12)}",${place()}`,
        ),
      ),
      event(
        'response.function_call_arguments.done',
        `"arguments":${json(whole)},"item_id":"${itemId}",${place()}`,
      ),
      event('response.output_item.done', `"item":${item('completed', whole)},${place()}`),
    ];
  });
  return { events, output };
}

function messageEvents(count, id, number) {
  const itemId = `msg_0775572d10a16b66006a8d8528e8a887d2a3${id}`;
  const item = (status, content) =>
    `{"id":"${itemId}","type":"message","status":"${status}","content":[${content}],"role":"assistant"}`;
  const part = (text) => `{"type":"output_text","annotations":[],"logprobs":[],"text":${text}}`;
  const place = `"content_index":0,"item_id":"${itemId}"`;
  const text = json(textOf(count));
  const before = [
    event(
      'response.output_item.added',
      `"item":${item('in_progress', '')},"output_index":0,"sequence_number":${number()}`,
    ),
    event(
      'response.content_part.added',
      `${place},"output_index":0,"part":${part('""')},"sequence_number":${number()}`,
    ),
  ];
  const numbered = () => `"output_index":0,"sequence_number":${number()}`;
  const after = [
    event('response.output_text.done', `${place},"logprobs":[],${numbered()},"text":${text}`),
    event('response.content_part.done', `${place},"part":${part(text)},${numbered()}`),
    event('response.output_item.done', `"item":${item('completed', part(text))},${numbered()}`),
  ];
  return { before, after, output: [item('completed', part(text))] };
}

/** The frames of one answer: what comes before the tokens, each token, and what follows. */
export function responsesAnswer(body, { tokens }, id) {
  let next = 0;
  const number = () => next++;
  const started = { status: 'in_progress', output: '[]', usage: 'null' };
  const before = ['created', 'in_progress'].map((what) =>
    event(`response.${what}`, `${responseObject(id, body, started)},"sequence_number":${number()}`),
  );
  const calls = callsOf(body, false);
  const count = calls.length > 0 ? 0 : tokens;
  const said = count > 0 ? messageEvents(count, id, number) : { before: [], after: [], output: [] };
  const called = callEvents(calls, body.tools?.[0]?.name, id, number);
  const ended = {
    status: 'completed',
    output: `[${[...called.output, ...said.output].join(',')}]`,
    usage: usageOf(count || 20),
  };
  const last = event(
    'response.completed',
    `${responseObject(id, body, ended)},"sequence_number":${number()}`,
  );
  const halves = halvesOf(count);
  const token = (index) => halves[index][0] + id + halves[index][1];
  return {
    before: [...before, ...called.events, ...said.before].join(''),
    count,
    token,
    tokens: () => halves.map((_, index) => token(index)).join(''),
    after: [...said.after, last].join(''),
  };
}

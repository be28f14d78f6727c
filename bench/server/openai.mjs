// A fast stand-in for OpenAI's API on 127.0.0.1, in a process of its own: POST /v1/chat/completions and /v1/responses,
// streamed only. It checks every tool result that it is given. Ends with the process that started it.
import { createServer } from 'node:http';
import { parseModel } from '../lib/protocol.mjs';
import { chatAnswer } from './chat.mjs';
import { pace } from './pacing.mjs';
import { responsesAnswer } from './responses.mjs';

const last = { requestBytes: 0, tools: 0 };
let answers = 0;

async function readJson(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const parsed = JSON.parse(body.toString());
  last.requestBytes = body.length;
  last.tools = parsed.tools?.length ?? 0;
  return parsed;
}

function send(response, answer, delay) {
  if (delay === 0 || answer.count === 0) {
    response.end(answer.before + answer.tokens() + answer.after, 'latin1');
    return;
  }
  let next = 1;
  let open = true;
  response.on('close', () => {
    open = false;
  });
  response.write(answer.before + answer.token(0), 'latin1');
  pace(delay, () => {
    if (!open) return false;
    if (next === answer.count) {
      response.end(answer.after, 'latin1');
      return false;
    }
    // A chunk made by hand is the same on the wire and costs this process less than `response.write`.
    const frame = answer.token(next++);
    response.socket.write(`${frame.length.toString(16)}\r\n${frame}\r\n`, 'latin1');
    return true;
  });
}

async function answer(request, response) {
  const body = await readJson(request);
  const model = parseModel(body.model);
  if (!body.stream || model === undefined) throw new Error('only streams of a fake-* model');
  const isChat = request.url.endsWith('/chat/completions');
  const id = (answers++).toString(36).padStart(12, '0');
  const made = (isChat ? chatAnswer : responsesAnswer)(body, model, id);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': `req_${id}`,
    'openai-processing-ms': '1',
  });
  send(response, made, model.delay);
}

const server = createServer((request, response) => {
  const json = (status, value) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (request.method === 'GET') return json(200, last);
  answer(request, response).catch(({ message }) =>
    json(400, { error: { message, type: 'invalid_request_error' } }),
  );
});
server.keepAliveTimeout = 120_000;
server.headersTimeout = 130_000;
server.requestTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
  process.send({ port: server.address().port }),
);
process.on('disconnect', () => process.exit(0));

// raw: the global fetch, a split into lines, JSON.parse. The reference, 1.0.
import { z } from 'zod';
import { handWrittenLoop } from '../../lib/hand-written-loop.mjs';

const paths = { chat: '/chat/completions', responses: '/responses' };
const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer x',
  accept: 'text/event-stream',
};

/** Calls back with every parsed data line. */
function splitter(onObject) {
  let rest = '';
  return (chunk) => {
    const text = rest + chunk;
    let start = 0;
    let end = text.indexOf('\n');
    while (end >= 0) {
      const isObject = text.startsWith('data: ', start) && text.charCodeAt(start + 6) === 123;
      if (isObject) onObject(JSON.parse(text.slice(start + 6, end)));
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    rest = text.slice(start);
  };
}

async function post(url, body, onObject) {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  const push = splitter(onObject);
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    push(decoder.decode(value, { stream: true }));
  }
}

export const runStream = (job) =>
  handWrittenLoop({ ...job, z }, (body, onObject) =>
    post(job.baseURL + paths[job.api], body, onObject),
  );

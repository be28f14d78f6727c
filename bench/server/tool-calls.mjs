// The tool rounds of an answer. The server has no memory: which round it is follows from the results in the request.
import { parseModel } from '../lib/protocol.mjs';

function resultsIn(body, isChat) {
  if (isChat) {
    return body.messages
      .filter(({ role }) => role === 'tool')
      .map(({ tool_call_id: id, content }) => ({ id, output: content }));
  }
  const items = Array.isArray(body.input) ? body.input : [];
  return items
    .filter(({ type }) => type === 'function_call_output')
    .map(({ call_id: id, output }) => ({ id, output }));
}

/** The calls that this answer makes; throws when a result is not the one of its call. */
export function callsOf(body, isChat) {
  const { rounds, parallel } = parseModel(body.model);
  const results = resultsIn(body, isChat);
  for (const { id, output } of results) {
    const number = Number(String(id).slice('call_'.length));
    if (!new RegExp(`v-${number}\\b`).test(JSON.stringify(output))) {
      throw new Error(`wrong output for ${id}: ${JSON.stringify(output).slice(0, 200)}`);
    }
  }
  const round = parallel === 0 ? 0 : Math.floor(results.length / parallel);
  if (round >= rounds) return [];
  return Array.from({ length: parallel }, (_, index) => {
    const number = round * parallel + index;
    return {
      id: `call_${String(number).padStart(20, '0')}`,
      parts: ['{"', 'id', '":', String(number), ',"', 'name', '":"', 'item', `-${number}`, '"}'],
    };
  });
}

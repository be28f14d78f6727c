// One measurement of one peer in a fresh process: the job comes as JSON, the result goes back over IPC.
import { check } from './lib/protocol.mjs';
import { calibrate } from './lib/statistics.mjs';
import { loop } from './measure/loop.mjs';
import { sequential } from './measure/sequential.mjs';
import { slow } from './measure/slow.mjs';
import { tokens } from './measure/tokens.mjs';

const kinds = { loop, sequential, slow, tokens };
process.on('disconnect', () => process.exit(1));

async function measure() {
  const job = JSON.parse(process.argv[2]);
  const { runStream } = await import(`./peers/${job.peer}/adapter.mjs`);
  const { api, baseURL, toolCount = 1 } = job;
  const one = async (model, onFirst = () => {}) =>
    check(model, await runStream({ api, baseURL, model, toolCount, onFirst }));
  const before = calibrate();
  const result = await kinds[job.kind](one, job);
  return { ...result, spinMs: (before + calibrate()) / 2 };
}

const result = await measure().catch((reason) => ({
  error: String(reason?.stack ?? reason).slice(0, 600),
}));
process.send(result, () => process.exit(0));

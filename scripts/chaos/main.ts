// npm run chaos: see the usage below.
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { summaryOf } from './summary.ts';

const usage = `npm run chaos -- [--runs N] [--faults N] [--replicas N] [--seed N] [--clients N]

Replicas as processes over a real PostgreSQL and Redis, faults by seed, clients that come and go, and an oracle.
Ends with 1 when a promise was broken, and prints the story of the run.`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    faults: { type: 'string', default: '30' },
    replicas: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit();
}

function count(name: 'runs' | 'faults' | 'replicas' | 'seed' | 'clients'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} must be a whole number, not ${values[name]}\n\n${usage}`);
  process.exit(2);
}

const options = {
  runs: count('runs'),
  faults: count('faults'),
  replicas: count('replicas'),
  seed: count('seed'),
  clients: count('clients'),
};
const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1_000).toFixed(0)} s`.padStart(6);
const report = await runCampaign(options, (line) => console.log(`${seconds()}  ${line}`));
console.log(summaryOf(options, report));
process.exitCode = report.breaches.length === 0 ? 0 : 1;

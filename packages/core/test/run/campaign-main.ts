/**
 * A campaign of any size, for nights and releases:
 * `node --conditions=@steward/source packages/core/test/run/campaign-main.ts --runs 10000 --seed 1`.
 */
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const began = performance.now();
const report = await runCampaign(Number(values.runs), Number(values.seed));
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
process.stdout.write(
  `${JSON.stringify({ seed: Number(values.seed), seconds, ...report }, null, 2)}\n`,
);

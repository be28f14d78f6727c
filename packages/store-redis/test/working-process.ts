// A process that takes segments and never ends them.
import { bullMqEngine } from '@steward/store-redis';

const engine = await bullMqEngine({ url: process.argv[2] });
await engine.start(async ({ runId }) => {
  process.send?.(runId);
  await new Promise(() => {});
});
process.send?.('started');

// A process that writes a run: its first event at once, the others when told to.
import { redisStores } from '@steward/store-redis';

const [url = '', prefix = ''] = process.argv.slice(2);
const { liveLog } = await redisStores({ url, prefix });
const writer = liveLog.open({ runId: 'run-1', incarnation: 'life-1' }, 1);
const publish = (k: number) =>
  writer.publish({ type: 'token', runId: 'run-1', at: 1, cursor: `1-${k}`, turn: 1, text: `${k}` });

publish(0);
await writer.close();
process.send?.('began');
process.once('message', () => {
  for (let k = 1; k <= 200; k++) publish(k);
});

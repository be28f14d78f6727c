/** Lives through every fault and closes; this process then ends by itself, if nothing is left. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { faultProxy } from '../../src/testing/fault-proxy.ts';
import type { NetworkFault } from '../../src/testing/network-fault.ts';

const faults: readonly NetworkFault[] = [
  { kind: 'hang' },
  { kind: 'half_open' },
  { kind: 'slow', bytesPerSecond: 1 },
  { kind: 'refuse' },
  { kind: 'lose_answers', silently: true },
];
const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
for (const fault of faults) {
  const { port } = server.address() as AddressInfo;
  const proxy = await faultProxy({ target: `tcp://127.0.0.1:${port}` });
  const client = connect(proxy.port, '127.0.0.1').on('error', () => {});
  client.write('hello');
  await once(client, 'data');
  await proxy.set(fault);
  client.write('more');
  await proxy.close();
  client.destroy();
}
server.close();

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { FaultLink } from '../../src/testing/fault-link.ts';

/** Both ends of a connection. */
async function pair(): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  far.on('error', () => {}).resume();
  onTestFinished(() => void far.destroy());
  return [near, far];
}

// What Node cannot reset then kept its file descriptor, and its process busy for good when that should have ended.
it('closes a connection that is reset while it says its end', async () => {
  const [[client, farClient], [target]] = await Promise.all([pair(), pair()]);
  const ended = Promise.withResolvers<void>();
  const link = new FaultLink(client, target, { onStruck: () => {}, onEnded: ended.resolve });
  link.apply({ kind: 'pass' });
  const closed = [client, target].map((socket) => new Promise((done) => socket.on('close', done)));
  farClient.end();
  await once(client, 'end');
  expect([target.writableEnded, target.writableFinished]).toEqual([true, false]);
  link.reset();
  await Promise.all([...closed, ended.promise]);
});

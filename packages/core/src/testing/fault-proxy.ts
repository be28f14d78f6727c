import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FaultLink } from './fault-link.ts';
import { checkFault, type NetworkFault } from './network-fault.ts';

/** Settings of {@link faultProxy}. */
export interface FaultProxyOptions {
  /** A URL with a port, such as `postgres://app@127.0.0.1:5432/app`, `redis://127.0.0.1:6379` or `http://127.0.0.1:8001`. */
  readonly target: string;
}

/** A proxy that is running. */
export interface FaultProxy extends AsyncDisposable {
  /** The URL of the target with the address of the proxy in it. */
  readonly url: string;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** What connections meet at present. */
  readonly fault: NetworkFault;
  /** How many connections are open. */
  readonly connections: number;
  /** How many connections the present fault has struck; for a test to wait for. */
  readonly struck: number;
  /** Changes what happens; settles when it does. Throws a `TypeError` that names the field of the fault. */
  set(fault: NetworkFault): Promise<void>;
  /** Resets all connections and stops. Safe to call twice. */
  close(): Promise<void>;
}

/** Either side may go on sending after the other one has ended, and nothing waits for more bytes to send along. */
const sockets = { allowHalfOpen: true, noDelay: true };

/**
 * A TCP proxy on 127.0.0.1 in front of any server (a database, Redis, a tool server, a model), whose connections break
 * as told, at any time: see {@link NetworkFault}. Use it to see what your assistant, your tools or your stores do when
 * the network fails, without root and without the server knowing. It looks into nothing, so TLS passes through it too;
 * the name in the certificate is then that of the target and not of the proxy.
 * Throws a `TypeError` for a `target` that is no URL with a port.
 *
 * @example
 * ```ts
 * import { faultProxy } from '@steward/core/testing';
 *
 * await using proxy = await faultProxy({ target: 'redis://127.0.0.1:6379' });
 * // redisStores({ url: proxy.url })
 * await proxy.set({ kind: 'lose_answers', times: 1 });
 * // The next command is carried out, and its answer never arrives.
 * await proxy.set({ kind: 'half_open' });
 * await proxy.set({ kind: 'pass' });
 * ```
 */
export async function faultProxy({ target }: FaultProxyOptions): Promise<FaultProxy> {
  const { url, address } = parsed(target);
  const links = new Set<FaultLink>();
  let fault: NetworkFault = { kind: 'pass' };
  let struck = 0;

  const onStruck = () => {
    struck += 1;
    if (!('times' in fault) || struck !== fault.times) return;
    fault = { kind: 'pass' };
    for (const link of links) if (!link.isStruck) link.apply(fault);
  };

  const server = createServer(sockets, (client: Socket) => {
    const upstream = connect({ ...address, ...sockets });
    const link: FaultLink = new FaultLink(client, upstream, {
      onStruck,
      onEnded: () => links.delete(link),
    });
    links.add(link);
    link.apply(fault);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const stop = async () => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const link of links) link.reset();
    await closed;
  };

  const port = await listen(0);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    port,
    get fault() {
      return fault;
    },
    get connections() {
      return links.size;
    },
    get struck() {
      return struck;
    },
    async set(next) {
      checkFault(next);
      fault = next;
      struck = 0;
      for (const link of links) link.apply(next);
      if (next.kind === 'refuse') await stop();
      else if (!server.listening) await listen(port);
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  };
}

function parsed(target: string) {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (!url?.hostname || !url.port) {
    throw new TypeError(`target must be a URL with a host and a port, got ${String(target)}`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url, address: { host, port: Number(url.port) } };
}

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FaultProxy, faultProxy } from '../../src/testing/fault-proxy.ts';
import type { NetworkFault } from '../../src/testing/network-fault.ts';

const patience = { interval: 1, timeout: 60_000 };
const until = <T>(what: () => T) => vi.waitUntil(what, patience);

/** A server that answers what it is told in capitals, and ends when its client does. */
class Shouting {
  readonly heard: string[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes) => {
      this.heard.push(String(bytes));
      socket.write(String(bytes).toUpperCase());
    });
  });

  async start(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

/** A client that keeps what it is told and how its connection ended. */
class Client {
  said = '';
  /** How the connection ended, once it has. */
  end: string | undefined;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => {
      this.said += String(bytes);
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.end = error.code;
    });
    this.socket.on('close', () => {
      this.end ??= 'orderly';
    });
  }

  /** Says something and waits until as much is answered. */
  async asks(text: string): Promise<string> {
    const before = this.said.length;
    this.socket.write(text);
    await until(() => this.said.length >= before + text.length);
    return this.said.slice(before);
  }

  ending(): Promise<string | undefined> {
    return until(() => this.end);
  }
}

let server: Shouting;
let proxy: FaultProxy;
let clients: Client[];

beforeEach(async () => {
  server = new Shouting();
  const port = await server.start();
  proxy = await faultProxy({ target: `tcp://user@127.0.0.1:${port}/name` });
  clients = [];
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await proxy.close();
  await server.stop();
});

function open(): Client {
  const client = new Client(proxy.port);
  clients.push(client);
  return client;
}

/** A client that is connected through to the server. */
async function opened(): Promise<Client> {
  const client = open();
  await client.asks('hello');
  return client;
}

const seen = (what: () => void) => vi.waitFor(what, patience);

describe('a proxy', () => {
  it('passes everything on, in both directions, also the end', async () => {
    const client = await opened();
    const long = 'x'.repeat(3_000_000);
    client.socket.write(long);
    await seen(() => expect(client.said).toHaveLength(long.length + 5));
    client.socket.end();
    expect(await client.ending()).toBe('orderly');
    await seen(() => expect([server.sockets.size, proxy.connections]).toEqual([0, 0]));
  });

  it('gives the URL of its target with its own address', () => {
    expect(proxy.url).toBe(`tcp://user@127.0.0.1:${proxy.port}/name`);
  });

  it('resets a client whose target is not there', async () => {
    await server.stop();
    expect(await open().ending()).toBe('ECONNRESET');
  });

  it('leaves nothing behind when it is closed, whatever is going on', async () => {
    const life = new URL('./proxy-life.ts', import.meta.url).pathname;
    await promisify(execFile)(process.execPath, [life], { timeout: 60_000 });
    const client = await opened();
    await proxy.set({ kind: 'half_open' });
    await proxy.close();
    await proxy.close();
    expect(await client.ending()).toBe('ECONNRESET');
    await seen(() => expect([server.sockets.size, proxy.connections]).toEqual([0, 0]));
  });

  it.each([
    [{ target: '127.0.0.1:6379' }, 'target'],
    [{ target: 'redis://127.0.0.1' }, 'target'],
  ])('refuses %j and names the field', async (options, field) => {
    await expect(faultProxy(options)).rejects.toThrow(new RegExp(`^${field} must`));
  });

  it.each([
    [{ kind: 'break' }, 'kind'],
    [{ kind: 'slow', bytesPerSecond: 0 }, 'bytesPerSecond'],
    [{ kind: 'cut', afterBytes: -1, direction: 'answer' }, 'afterBytes'],
    [{ kind: 'cut', afterBytes: 1, direction: 'up' }, 'direction'],
    [{ kind: 'lose_answers', times: 0 }, 'times'],
  ])('refuses %j and names the field', async (fault, field) => {
    const before = proxy.fault;
    await expect(proxy.set(fault as NetworkFault)).rejects.toThrow(new RegExp(`^${field} must`));
    expect(proxy.fault).toBe(before);
  });
});

describe('a fault', () => {
  it('refuse: open connections are reset and new ones refused, until it passes', async () => {
    const client = await opened();
    await proxy.set({ kind: 'refuse' });
    expect(await client.ending()).toBe('ECONNRESET');
    expect(await open().ending()).toBe('ECONNREFUSED');
    await proxy.set({ kind: 'pass' });
    await opened();
  });

  it('reset: open connections are reset, and new ones as soon as they are there', async () => {
    const client = await opened();
    await proxy.set({ kind: 'reset' });
    expect(await client.ending()).toBe('ECONNRESET');
    expect(await open().ending()).toBe('ECONNRESET');
    expect(proxy.struck).toBe(2);
    await proxy.set({ kind: 'pass' });
    await opened();
  });

  it('hang: nothing moves, and everything arrives once it passes', async () => {
    const client = await opened();
    await proxy.set({ kind: 'hang' });
    client.socket.write('are you there?');
    const late = open();
    await once(late.socket, 'connect');
    late.socket.write('me too');
    await seen(() => expect(proxy.struck).toBe(2));
    expect(server.heard).toEqual(['hello']);
    await proxy.set({ kind: 'pass' });
    await seen(() => expect(client.said).toBe('HELLOARE YOU THERE?'));
    await seen(() => expect(late.said).toBe('ME TOO'));
  });

  it('half_open: neither side hears of the other again, not even its end', async () => {
    const client = await opened();
    await proxy.set({ kind: 'half_open' });
    client.socket.write('are you there?');
    client.socket.end();
    await proxy.set({ kind: 'pass' });
    const other = await opened();
    expect(await other.asks('and you?')).toBe('AND YOU?');
    expect(client.end).toBeUndefined();
    expect(server.heard).toEqual(['hello', 'hello', 'and you?']);
    expect(server.sockets.size).toBe(2);
    expect(proxy.connections).toBe(2);
  });

  it.each([0, 1, 7, 12])('cut: an answer ends after %i bytes', async (afterBytes) => {
    const client = await opened();
    await proxy.set({ kind: 'cut', afterBytes, direction: 'answer', times: 1 });
    client.socket.write('a whole line');
    expect(await client.ending()).toBe('orderly');
    expect(client.said).toBe(`HELLO${'A WHOLE LINE'.slice(0, afterBytes)}`);
    await opened();
  });

  it('cut: a request ends after so many bytes', async () => {
    const client = await opened();
    await proxy.set({ kind: 'cut', afterBytes: 9, direction: 'request' });
    client.socket.write('12345');
    await seen(() => expect(server.heard).toEqual(['hello', '12345']));
    client.socket.write('67890');
    expect(await client.ending()).toBe('ECONNRESET');
    await seen(() => expect(server.heard.join('')).toBe('hello123456789'));
  });

  it('slow: so many bytes pass in a second', async () => {
    const client = await opened();
    await proxy.set({ kind: 'slow', bytesPerSecond: 1_000 });
    const start = performance.now();
    await client.asks('x'.repeat(100));
    expect(performance.now() - start).toBeGreaterThan(80);
    client.socket.write('y'.repeat(10_000));
    await proxy.set({ kind: 'pass' });
    await seen(() => expect(client.said).toHaveLength(10_105));
  });

  it('lose_answers: what is asked is done, and the connection breaks', async () => {
    const client = await opened();
    await proxy.set({ kind: 'lose_answers', times: 1 });
    client.socket.write('pay');
    expect(await client.ending()).toBe('ECONNRESET');
    expect([server.heard, client.said]).toEqual([['hello', 'pay'], 'HELLO']);
    await opened();
  });

  it('lose_answers silently: what is asked is done, and nobody hears of it', async () => {
    const client = await opened();
    await proxy.set({ kind: 'lose_answers', silently: true, times: 1 });
    client.socket.write('pay');
    await seen(() => expect(proxy.struck).toBe(1));
    const other = await opened();
    client.socket.write('twice');
    await seen(() => expect(server.heard).toContain('twice'));
    await other.asks('still there?');
    expect([client.said, client.end]).toEqual(['HELLO', undefined]);
  });
});

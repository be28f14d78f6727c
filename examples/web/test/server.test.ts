import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startOpenAiServer } from '@steward/core/testing';
import { describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../src/server.ts', import.meta.url));
const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, OPENAI_MODEL: _model, ...own } = process.env;

type Server = ChildProcessByStdio<null, Readable, Readable>;

function start(env: NodeJS.ProcessEnv, ...args: string[]): Server {
  const command = ['--conditions=@steward/source', program, ...args];
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return spawn(process.execPath, command, { env: { ...own, ...env }, stdio });
}

/** The address that the server prints, and all it printed until then. */
async function printed(child: Server): Promise<{ url: string; output: string }> {
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (url && output.includes('Ctrl-C')) return { url, output };
  }
  throw new Error(`It ended without an address: ${output}`);
}

/** Asks in a new session; the events of the run. */
async function ask(url: string, question: string) {
  const page = await fetch(url);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const headers = { cookie, origin: url, 'content-type': 'application/json' };
  const body = { conversationId: 'c', requestId: crypto.randomUUID(), text: question };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  const { runId } = (await (await fetch(`${url}/api/runs`, request)).json()) as { runId: string };
  return (await fetch(`${url}/api/runs/${runId}/events`, { headers })).text();
}

describe('npm start', () => {
  test('answers with the demo model, ends on SIGTERM and leaves nothing behind', async () => {
    const child = start({ PORT: '0' });
    const { url, output } = await printed(child);
    expect(output).toContain('Demo model');
    expect(output).toContain('OPENAI_API_KEY');
    const events = await ask(url, 'Show the directory tree of my files');
    expect(events).toContain('harbour-chowder.md');
    const found = await ask(url, 'Search files for chowder');
    const folder = /\/[^"\s\\]*steward-files-\w+/.exec(found)?.[0] ?? '';
    expect(existsSync(folder)).toBe(true);
    const open = await fetch(url);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(existsSync(folder)).toBe(false);
    expect(open.ok).toBe(true);
  });

  test('asks the server and the model that the environment names', async () => {
    await using openai = await startOpenAiServer({ reply: [{ text: 'From afar.' }] });
    const { baseURL } = openai;
    const key = { OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: baseURL, OPENAI_MODEL: 'far-model' };
    const child = start({ PORT: '0', ...key });
    const { url, output } = await printed(child);
    expect(output).toContain('far-model');
    expect(output).not.toContain('test-key');
    expect(await ask(url, 'Hello')).toContain('"text":"From afar."');
    expect(openai.requests[0]?.body['model']).toBe('far-model');
    expect(openai.requests[0]?.headers.authorization).toBe('Bearer test-key');
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  test('says what to do when the port or the address of the model cannot be used', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const key = { OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: 'localhost:1234' };
    const failing = [start({ PORT: String(port) }), start({ PORT: 'http' }), start(key)];
    const ends = failing.map(async (child) => {
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      return { said, code };
    });
    const [taken, none, nowhere] = await Promise.all(ends);
    expect(taken).toEqual({
      code: 1,
      said: `Port ${port} is taken. Start with another: PORT=3001 npm start\n`,
    });
    expect(none).toEqual({ code: 1, said: 'PORT must be a number from 0 to 65535, not "http"\n' });
    expect(nowhere?.said).toBe(
      'OPENAI_BASE_URL must begin with http:// or https://, not "localhost:1234"\n',
    );
    other.close();
  });

  test('explains itself', async () => {
    const child = start({}, '--help');
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(code).toBe(0);
    for (const name of ['PORT', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']) {
      expect(said).toContain(name);
    }
  });
});

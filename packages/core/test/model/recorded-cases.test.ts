import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CollectedTurn, collectTurn } from '../../src/model/collect-turn.ts';
import { openaiModel } from '../../src/model/openai-model.ts';
import { recordedData } from '../recorded-data.ts';
import { expectedTurn, type RecordedCase } from './expected-turn.ts';
import { randomSizes } from './random.ts';

const data = recordedData('openai/cases');
const read = (file: string) => JSON.parse(readFileSync(join(data.path, file), 'utf8'));
const names = existsSync(data.path)
  ? readdirSync(data.path)
      .filter((file) => file.endsWith('.expected.json'))
      .map((file) => file.slice(0, -'.expected.json'.length))
  : [];

/** What the server answers at the moment, and in which slices. */
let answer: { recorded: RecordedCase; body: Buffer; sizes: Iterator<number> };
let server: Server;
let baseURL: string;

/** Writes each slice once the one before is on its way, so that they arrive apart. */
function send(response: ServerResponse, body: Buffer, sizes: Iterator<number>): void {
  if (body.length === 0) return void response.end();
  const size = sizes.next().value as number;
  response.write(body.subarray(0, size), () => send(response, body.subarray(size), sizes));
}

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(answer.recorded.status, answer.recorded.headers);
      send(response, answer.body, answer.sizes);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const whole = () => randomSizes(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const slices = () => randomSizes(20_261_120, 1, 700);

async function replay(recorded: RecordedCase, sizes: Iterator<number>): Promise<CollectedTurn> {
  answer = { recorded, body: readFileSync(join(data.path, recorded.body_file)), sizes };
  const model = openaiModel({ model: 'recorded', api: recorded.api, baseURL, apiKey: 'none' });
  const request = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
  return collectTurn(model.stream(request, { signal: new AbortController().signal }));
}

describe.runIf(data.tested)('recorded exchanges', () => {
  test('are all there', () => expect(names.length).toBeGreaterThanOrEqual(96));

  describe.each(names)('%s', (name) => {
    const recorded = read(`${name}.json`) as RecordedCase;
    const expected = expectedTurn(recorded, read(`${name}.expected.json`));

    test('is read as recorded, whole and in random slices', async () => {
      expect(await replay(recorded, whole())).toMatchObject(expected);
      expect(await replay(recorded, slices())).toMatchObject(expected);
    });

    test('is read as recorded, byte by byte', async () => {
      expect(await replay(recorded, randomSizes(0, 1, 1))).toMatchObject(expected);
    });
  });
});

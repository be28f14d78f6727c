// A replica: an assistant over the shared servers, driven from outside over HTTP.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Assistant, openaiModel, StewardError, type Stores, tool } from '@steward/core';
import { postgresStores } from '@steward/store-postgres';
import { bullMqEngine, redisStores } from '@steward/store-redis';
import { z } from 'zod';
import type { ToolOrder } from './ledger.ts';
import { measure } from './measure.ts';
import { PhaseBoard } from './phases.ts';
import { type ToolName, toolNames } from './plan.ts';
import { serveAssistant } from './replica-http.ts';
import type { Order, ReplicaSettings } from './replica-settings.ts';
import { report, reportReady } from './reporting.ts';

const settings = JSON.parse(process.argv[2] ?? '') as ReplicaSettings;
const board = new PhaseBoard(settings.boardFile);

/** Servers may be away just when a replica starts: as a supervisor would, it tries again. */
async function persistently<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open();
    } catch (reason) {
      if (!(reason instanceof StewardError) || reason.code !== 'store_unavailable') throw reason;
      await wait(200);
    }
  }
}

function toolOf(name: ToolName) {
  return tool({
    name,
    description: `Does what a ${name} does`,
    parameters: z.object({ n: z.number() }),
    effect: name === 'write_unasked' ? 'write' : name,
    ...(name === 'write_unasked' && { confirm: 'never' as const }),
    execute: (_args, { runId, idempotencyKey, attempt, signal }) => {
      const order: ToolOrder = {
        tool: name,
        key: idempotencyKey,
        runId,
        attempt,
        replica: settings.name,
      };
      return board.during('effect', () => ask(order, signal));
    },
  });
}

async function ask(order: ToolOrder, signal: AbortSignal): Promise<string> {
  const response = await fetch(settings.toolsUrl, {
    method: 'POST',
    body: JSON.stringify(order),
    signal,
  });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

const { postgresUrl, redisUrl } = settings;
const redis = await persistently(() => redisStores({ url: redisUrl, replicas: settings.replicas }));
const postgres = await persistently(() =>
  postgresStores({ connectionString: postgresUrl, ...redis }),
);
const engine = await persistently(() => bullMqEngine({ url: redisUrl }));
const stores: Stores = { ...postgres, runs: board.watchRuns(postgres.runs) };
const assistant = new Assistant({
  model: board.watchModel(
    openaiModel({ api: 'chat', model: 'loopback', baseURL: settings.modelUrl, apiKey: 'none' }),
  ),
  tools: toolNames.map(toolOf),
  stores,
  engine,
  lease: settings.lease,
  limits: settings.limits,
});

const server = createServer(serveAssistant(assistant));
server.listen(0, '127.0.0.1', () => {
  reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

async function leave(): Promise<void> {
  server.close();
  await assistant.close({ drainMs: settings.drainMs });
  server.closeAllConnections();
  await Promise.all([redis.close(), postgres.close()]);
  // Nothing is left that keeps this process: that it ends now is part of what is tested.
  process.removeAllListeners('disconnect');
  process.disconnect();
}

process.on('SIGTERM', () => void leave());
process.on('message', (order: Order) => {
  if (order.kind === 'die') board.arm(order.phase, order.afterMs);
  else report({ kind: 'measured', measurement: measure() });
});

// S5: importing a peer in a fresh process, and what its install weighs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { environment, preload } from './lib/children.mjs';
import { measured } from './lib/noise.mjs';
import { peerDirectory } from './peers.mjs';

/** What somebody imports who wants a chat with tools over OpenAI. */
const imports = {
  openai: ["import OpenAI from 'openai'"],
  steward: ["import { Assistant, openaiModel, tool } from '@steward/core'"],
  ai: [
    "import { isStepCount, streamText, tool } from 'ai'",
    "import { createOpenAI } from '@ai-sdk/openai'",
  ],
  agents: ["import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents'"],
  mastra: [
    "import { Agent } from '@mastra/core/agent'",
    "import { createTool } from '@mastra/core/tools'",
    "import { createOpenAI } from '@ai-sdk/openai'",
  ],
};

const modulesOf = (peer) => join(peerDirectory(peer), 'node_modules');

/** Where a peer is imported: `openai`, the reference, is there with Steward as well. */
const homeOf = (peer) => peerDirectory(existsSync(modulesOf(peer)) ? peer : 'steward');

function importOnce(peer) {
  const program = [
    'const start = performance.now(), cpu = process.cpuUsage();',
    ...imports[peer].map((line) => `await import(${line.split(' from ')[1]});`),
    'const { user, system } = process.cpuUsage(cpu);',
    'console.log(JSON.stringify({ importMs: performance.now() - start, importCpuMs: (user + system) / 1000,',
    '  rssMB: process.memoryUsage.rss() / 2 ** 20 }));',
    'process.exit(0);',
  ].join('\n');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...preload, '--input-type=module', '--eval', program],
    { cwd: homeOf(peer), encoding: 'utf8', env: environment, timeout: 60_000 },
  );
  const line = stdout.trim().split('\n').at(-1);
  return line.startsWith('{') ? JSON.parse(line) : { error: stderr.slice(0, 300) };
}

function bytesUnder(directory) {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sum + bytesUnder(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}

function installOf(peer) {
  const modules = modulesOf(peer);
  const list = join(modules, '.package-lock.json');
  if (!existsSync(list)) return {};
  const { packages } = JSON.parse(readFileSync(list, 'utf8'));
  return { installMB: bytesUnder(modules) / 1e6, packages: Object.keys(packages).length };
}

/** For each peer its results in the order of the rounds; the first import of each only warms the disk cache. */
export async function measureCold(peers, rounds, limits) {
  const known = Object.keys(imports).filter((peer) => peer === 'openai' || peers.includes(peer));
  for (const peer of known) importOnce(peer);
  const installs = Object.fromEntries(known.map((peer) => [peer, installOf(peer)]));
  const results = Object.fromEntries(known.map((peer) => [peer, []]));
  for (let round = 0; round < 3 * rounds; round += 1) {
    for (const peer of known) {
      const result = await measured([], async () => importOnce(peer), limits);
      results[peer].push({ ...result, ...installs[peer] });
    }
  }
  return results;
}

// npm run bench -- [options]: measures, prints tables, writes bench/results/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { fail } from '../scripts/lib/workspace.mjs';
import { approveOnce, askable } from './approve-once/main.mjs';
import { measureCold } from './cold.mjs';
import { details, noise } from './lib/table.mjs';
import { install, installedPeers, installSteward, others, standard, versionOf } from './peers.mjs';
import { measureVariant } from './rounds.mjs';
import { scenarios } from './scenarios.mjs';

const usage = `npm run bench [-- OPTIONS]   what Steward costs beside its peers; all on 127.0.0.1, against a fake server

Without options: raw and steward, every scenario, 3 rounds, some minutes.

  --scenario S1,S3     ${Object.keys(scenarios).join(', ')} (all by default)
  --variant one,many   only these variants of the scenarios
  --api chat           chat, responses, or both (chat by default)
  --peers raw,steward  who (${[...standard, ...others].join(', ')}), or "all" for all that are installed
  --rounds 3           interleaved rounds; the tables show medians
  --install-peers      installs ${others.join(', ')} first
  --keep               measures the @steward/core that is installed already instead of building and packing it again
  --noise 25           percent of a core that others may use: waits for it, repeats what was disturbed; 200 takes all
  --approve-once       no speed: how often one approval runs its tool, table of docs/approve-once.md; with --peers
                       (${askable.join(', ')}; all by default, installed when missing) and --keep
  --stores speed       what durable stores cost: speed, first (token), waiting (10,000 confirmations), full (a million
                       ended runs); with --rounds, and --runs for another number of runs; takes PostgreSQL and Redis
  --profile DIRECTORY  writes CPU profiles; node bench/profile.mjs FILE reads one

Then: node bench/report.mjs writes the tables of docs/performance.md from bench/results/.
`;

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', default: Object.keys(scenarios).join(',') },
    variant: { type: 'string' },
    api: { type: 'string', default: 'chat' },
    peers: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'install-peers': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    noise: { type: 'string', default: '25' },
    'approve-once': { type: 'boolean', default: false },
    stores: { type: 'string' },
    runs: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help || process.argv.length === 2) console.log(usage);
if (options.help) process.exit();
if (options['approve-once']) {
  const chosen = options.peers ?? 'all';
  const asked = chosen === 'all' ? askable : pick('--peers', chosen, askable);
  await approveOnce(asked, { keep: options.keep });
  process.exit();
}

const rounds = Number(options.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) fail('--rounds must be a positive integer.');
if (options.stores) {
  const { measureStores, storeMeasures } = await import('./stores/main.mjs');
  for (const what of pick('--stores', options.stores, storeMeasures)) {
    await measureStores(what, { rounds, ...(options.runs && { runs: Number(options.runs) }) });
  }
  process.exit();
}
const limits = { below: Number(options.noise) };
if (!(limits.below > 0)) fail('--noise must be a positive number.');
const names = pick('--scenario', options.scenario, Object.keys(scenarios));
const apis = pick('--api', options.api, ['chat', 'responses']);
const variants = options.variant?.split(',');

if (options['install-peers']) for (const peer of others) await install(peer);
if (!installedPeers().includes('raw')) await install('raw');
if (!options.keep || !installedPeers().includes('steward')) await installSteward();
const peers =
  options.peers === 'all'
    ? installedPeers()
    : pick('--peers', options.peers ?? standard.join(','), installedPeers());

mkdirSync(new URL('results', import.meta.url), { recursive: true });
for (const name of names) {
  const scenario = scenarios[name];
  for (const [variantName, variant] of Object.entries(scenario.variants)) {
    if (variants && !variants.includes(variantName)) continue;
    for (const api of scenario.kind === 'cold' ? ['none'] : apis) {
      await measure({ name, variantName, api, scenario, variant });
    }
  }
}

function pick(option, given, known) {
  const chosen = given.split(',');
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown)
    fail(`${option}: there is no ${unknown}; there are ${known.join(', ')}.\n\n${usage}`);
  return chosen;
}

async function measure({ name, variantName, api, scenario, variant }) {
  const isCold = scenario.kind === 'cold';
  const results = isCold
    ? await measureCold(peers, rounds, limits)
    : await measureVariant({
        scenario,
        variant,
        api,
        peers,
        rounds,
        limits,
        profile: options.profile,
      });
  const { title, ratio } = scenario;
  const reference = isCold ? 'openai' : 'raw';
  const { what, target } = variant;
  const suffix = isCold ? '' : `, ${api}`;
  console.log(`\n### ${name} ${title}: ${what}${suffix}${target ? `, at most ${target}` : ''}\n`);
  console.log(`${details({ results, ratio, reference })}\n\n${noise(results)}`);
  const measurement = {
    scenario: name,
    variant: variantName,
    api,
    ratio,
    reference,
    when: new Date().toISOString(),
    machine: `${cpus().length} cores, ${cpus()[0]?.model.trim()}, ${platform()}, Node ${process.versions.node}`,
    versions: Object.fromEntries(Object.keys(results).map((peer) => [peer, versionOf(peer)])),
    results,
  };
  const file = new URL(`results/${name}-${variantName}-${api}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(measurement, null, 2)}\n`);
}

// Interleaved rounds: each round measures every peer once, in a fresh process, beginning with another one each time.
import { measureInWorker, startServer } from './lib/children.mjs';
import { measured } from './lib/noise.mjs';

/** Measures one variant; for each peer its results in the order of the rounds. */
export async function measureVariant({ scenario, variant, api, peers, rounds, limits, profile }) {
  const server = await startServer();
  const results = Object.fromEntries(peers.map((peer) => [peer, []]));
  const { kind, flags = [] } = scenario;
  const measureOnce = (peer, round) => {
    const job = { ...variant, kind, peer, api, baseURL: server.baseURL };
    const allFlags = [...flags, ...profileFlags(profile, peer, round)];
    return measured([server.pid], () => measureInWorker(job, allFlags), limits);
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of [
      ...peers.slice(round % peers.length),
      ...peers.slice(0, round % peers.length),
    ]) {
      const result = await measureOnce(peer, round);
      if (result.error !== undefined) console.error(`${peer}, round ${round + 1}: ${result.error}`);
      results[peer].push(result);
    }
  }
  server.stop();
  return results;
}

function profileFlags(directory, peer, round) {
  if (directory === undefined) return [];
  const name = `${peer}-${round}.cpuprofile`;
  return ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-name', name];
}

// npm run bench -- --approve-once: one approval, pressed in two tabs at the same moment and once more later. How often did
// the tool run? Each peer has its bench/peers/NAME/approve-once.mjs, written after its own documentation.
import { measureInWorker, startServer } from '../lib/children.mjs';
import { install, installSteward, packagesOf } from '../peers.mjs';

const guide = 'as its guide';
const guard = 'with a guard of the application';
/** Who is asked, and in which ways. */
const waysOf = {
  steward: [guide],
  mastra: [guide, guard],
  langgraph: [guide],
  ai: [guide],
  agents: [guide, 'state saved after every run', guard],
};
export const askable = Object.keys(waysOf);

async function prepare(peer, { keep }) {
  const isComplete = packagesOf(peer).every(
    ({ wanted, found }) => found !== null && (wanted.startsWith('file:') || wanted === found),
  );
  if (peer === 'steward' && !(keep && isComplete)) await installSteward();
  else if (!isComplete) await install(peer);
}

const versions = (peer) =>
  packagesOf(peer)
    .filter(({ name }) => name !== 'zod')
    .map(({ name, found }) => `${name} ${found}`)
    .join(', ');

const row = (cells) => `| ${cells.join(' | ')} |`;
const head = ['', 'way', 'two tabs', 'later', 'sum', 'second tab; later', 'while it runs'];

/** What a press was told: accepted, or the beginning of the error. */
const short = (answer) => answer.replace(/(?<=^.{36}).+/, '...');

function rowOf(peer, way, { error, atOnce, total, answers, whileRunning }) {
  if (error) return row([peer, way, `failed: ${error.split('\n', 1)[0]}`, '', '', '', '']);
  const [, second, late] = answers.map(short);
  return row([peer, way, atOnce, total - atOnce, total, `${second}; ${late}`, whileRunning]);
}

/** Prints the table; a way that fails makes the exit code 1. */
export async function approveOnce(peers, options) {
  for (const peer of peers) await prepare(peer, options);
  const server = await startServer();
  const rows = [row(head), row(head.map(() => '---'))];
  for (const peer of peers) {
    for (const way of waysOf[peer]) {
      const job = { peer, way, baseURL: server.baseURL };
      const result = await measureInWorker(job, [], 'approve-once/worker.mjs');
      if (result.error) process.exitCode = 1;
      rows.push(rowOf(peer, way, result));
    }
  }
  server.stop();
  const used = peers.map((peer) => `- ${peer}: ${versions(peer)}`);
  const where = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}`;
  console.log(`${rows.join('\n')}\n\n${where}\n\n${used.join('\n')}`);
}

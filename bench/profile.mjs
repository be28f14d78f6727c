// node bench/profile.mjs FILE.cpuprofile [COUNT]: where the time went, by package and by function.
import { readFileSync } from 'node:fs';

const [file, count = '25'] = process.argv.slice(2);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
const own = new Map();
for (const [index, id] of samples.entries()) {
  own.set(id, (own.get(id) ?? 0) + timeDeltas[index]);
}

function packageOf({ url, functionName }) {
  if (functionName.startsWith('(')) return functionName;
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name !== undefined) return name;
  if (url.startsWith('node:')) return url.split('/').slice(0, 3).join('/');
  return url === '' ? 'native' : 'bench';
}

const packages = new Map();
const functions = new Map();
let total = 0;
for (const { id, callFrame } of nodes) {
  const time = own.get(id) ?? 0;
  if (callFrame.functionName === '(idle)') continue;
  total += time;
  const home = packageOf(callFrame);
  const name = `${callFrame.functionName || '(anonymous)'} ${home}:${callFrame.lineNumber + 1}`;
  packages.set(home, (packages.get(home) ?? 0) + time);
  functions.set(name, (functions.get(name) ?? 0) + time);
}

function show(times, limit) {
  const first = [...times].toSorted(([, a], [, b]) => b - a).slice(0, limit);
  for (const [name, time] of first)
    console.log(`${((100 * time) / total).toFixed(1).padStart(5)}%  ${name}`);
}

console.log(`busy for ${Math.round(total / 1_000)} ms`);
show(packages, 12);
console.log('functions');
show(functions, Number(count));

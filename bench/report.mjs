// node bench/report.mjs: writes the tables of docs/performance.md from bench/results/, between its two markers.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { median } from './lib/statistics.mjs';
import { medianOf, noise, number, ratioOf, spread, table } from './lib/table.mjs';
import { others, standard } from './peers.mjs';
import { importTargetMs, scenarios } from './scenarios.mjs';

const order = [...standard, ...others];
const begin = '<!-- measured: begin -->';
const end = '<!-- measured: end -->';

const results = new URL('results/', import.meta.url);
const measurements = readdirSync(results)
  .filter((name) => name.endsWith('.json'))
  .toSorted()
  .map((name) => JSON.parse(readFileSync(new URL(name, results), 'utf8')));
const loads = measurements.filter(({ scenario }) => scenario !== 'S5');
const cold = measurements.find(({ scenario }) => scenario === 'S5');

const nameOf = ({ scenario, variant, api }) => {
  const { title, variants } = scenarios[scenario];
  return `${title}: ${variants[variant].what} (${api})`;
};
const targetOf = ({ scenario, variant }) => scenarios[scenario].variants[variant].target;
const ratio = ({ results: rounds, ratio: metric, reference }, peer) =>
  ratioOf(rounds, peer, reference, metric);

function ratios() {
  const peers = order.filter((peer) => loads.some((measurement) => measurement.results[peer]));
  const rows = loads.map((measurement) => [
    nameOf(measurement),
    ...peers.map((peer) => {
      const value = number(ratio(measurement, peer)?.median);
      return peer === 'steward' ? `**${value}**` : value;
    }),
    `≤ ${targetOf(measurement)}`,
  ]);
  return table(['ratio to `raw`', ...peers, 'target'], rows);
}

const units = { cpuUs: 'µs', cpuMs: 'ms', firstTokenMs: 'ms', rssKB: 'KB' };

function ours() {
  const rows = loads.map((measurement) => {
    const { ratio: metric, results: rounds } = measurement;
    const value = (peer) => `${number(medianOf(rounds[peer], metric))} ${units[metric]}`;
    const { length } = rounds.steward;
    const between = spread(ratio(measurement, 'steward'));
    return [nameOf(measurement), between, value('steward'), value('raw'), length];
  });
  return table(['', 'ratio (lowest–highest round)', 'steward', 'raw', 'rounds'], rows);
}

function coldStart() {
  const first = loads.find(({ scenario }) => scenario === 'S2');
  const peers = order.filter((peer) => cold.results[peer]);
  const reference = medianOf(cold.results.openai, 'importMs');
  const rows = peers.map((peer) => {
    const rounds = cold.results[peer];
    const of = (metric) => medianOf(rounds, metric);
    const firstRun = medianOf(first?.results[peer] ?? [], 'coldCpuMs');
    const importMs = of('importMs');
    const times = [importMs, importMs - reference, of('importCpuMs'), firstRun];
    return [peer, ...[...times, of('rssMB'), of('installMB'), of('packages')].map(number)];
  });
  const head = ['', 'import, ms', 'over `openai`, ms', 'import, CPU ms', 'first run, CPU ms'];
  return (
    `${table([...head, 'RSS after import, MB', 'install, MB', 'packages'], rows)}\n\n` +
    `Target: at most ${importTargetMs} ms over importing \`openai\`. What an import does not load, the first run does.`
  );
}

function conditions() {
  const days = measurements.map(({ when }) => when.slice(0, 10)).toSorted();
  const versions = Object.assign({}, ...measurements.map((measurement) => measurement.versions));
  const named = order.map((peer) => versions[peer]).filter(Boolean);
  const all = Object.fromEntries(
    measurements.flatMap(({ results: rounds, scenario }) =>
      Object.entries(rounds).map(([peer, list]) => [`${scenario} ${peer}`, list]),
    ),
  );
  const spin = median(
    Object.values(all)
      .flat()
      .map(({ spinMs }) => spinMs)
      .filter(Number.isFinite),
  );
  return [
    `Measured on ${days.at(-1)}: ${measurements[0].machine}; ${named.join(', ')}.`,
    `A fixed loop of integer work took ${number(spin)} ms (median). ${noise(all).replace('noise', 'Noise')}.`,
  ].join('\n');
}

const page = new URL('../docs/performance.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (after === undefined) throw new Error(`${page.pathname} has no markers`);
const sections = [ratios(), ours(), ...(cold ? [coldStart()] : []), conditions()];
writeFileSync(page, `${before}${begin}\n\n${sections.join('\n\n')}\n\n${end}${after}`);

// Results as Markdown. A ratio is the median over the rounds of (peer / reference of the same round).
import { median } from './statistics.mjs';

const notes = ['error', 'foreignPercent', 'tries', 'spinMs'];

export function number(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const good = (results) => results.filter(({ error }) => error === undefined);

/** The ratio of one peer: median, lowest and highest round. `undefined` where nothing can be compared. */
export function ratioOf(results, peer, reference, metric) {
  const ratios = (results[peer] ?? [])
    .map((result, round) => result[metric] / results[reference]?.[round]?.[metric])
    .filter(Number.isFinite);
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

export function medianOf(results, metric) {
  const values = good(results).map((result) => result[metric]);
  return values.length === 0 ? Number.NaN : median(values);
}

export function spread(ratio) {
  if (ratio === undefined) return '–';
  return `${number(ratio.median)} (${number(ratio.lowest)}–${number(ratio.highest)})`;
}

export function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

export function table(head, rows) {
  const line = row(head.map((_, index) => (index === 0 ? '---' : '--:')));
  return [row(head), line, ...rows.map(row)].join('\n');
}

/** Every metric of every peer in one measurement. */
export function details({ results, ratio, reference }) {
  const all = Object.values(results).flatMap(good);
  const metrics = [...new Set(all.flatMap(Object.keys))].filter((name) => !notes.includes(name));
  const rows = Object.entries(results).map(([peer, rounds]) => {
    const failed = rounds.length - good(rounds).length;
    return [
      failed > 0 ? `${peer} (${failed} of ${rounds.length} rounds failed)` : peer,
      spread(ratioOf(results, peer, reference, ratio)),
      ...metrics.map((metric) => number(medianOf(rounds, metric))),
    ];
  });
  return table(['peer', `${ratio} × ${reference}`, ...metrics], rows);
}

/** How quiet the machine was. */
export function noise(results) {
  const all = Object.values(results).flatMap(good);
  const foreign = all.map(({ foreignPercent }) => foreignPercent).filter(Number.isFinite);
  if (foreign.length === 0) return 'noise: not measured';
  const repeated = all.filter(({ tries }) => tries > 1).length;
  return (
    `noise: others used ${number(median(foreign))}% of a core (median; at worst ${number(Math.max(...foreign))}%); ` +
    `${repeated} of ${all.length} samples were repeated for it`
  );
}

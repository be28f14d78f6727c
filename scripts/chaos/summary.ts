import type { Holdings } from './baseline.ts';
import type { CampaignOptions, CampaignReport } from './campaign.ts';
import type { Testimony } from './client.ts';
import type { Breach } from './oracle.ts';
import { phases } from './phases.ts';

type Row = readonly [name: string, value: string | number];

/** What a campaign lived through, and what was broken. */
export function summaryOf(options: CampaignOptions, report: CampaignReport): string {
  const { breaches, stories, driver } = report;
  const rows: Row[] = [
    ...Object.entries(options),
    ['seconds', report.seconds.toFixed(1)],
    ...countsOf(report),
    ...byName(driver.counts),
    ['kills', driver.kills],
    ...phases.map((phase): Row => [`kills inside ${phase}`, driver.killsIn[phase]]),
    ...takeoversOf(report),
    ...holdings('before', report.before),
    ...holdings('after', report.after),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(10)}`);
  const verdict =
    breaches.length === 0
      ? ['No promise was broken.']
      : [
          `${breaches.length} BROKEN PROMISES (seed ${options.seed}):`,
          ...linesOf(breaches),
          ...stories,
        ];
  return ['', ...table, '', ...verdict].join('\n');
}

function countsOf({ evidence: { testimonies, ledger } }: CampaignReport): Row[] {
  const ends: Record<string, number> = {};
  for (const testimony of testimonies) {
    const name = `ended: ${endOf(testimony)}`;
    ends[name] = (ends[name] ?? 0) + 1;
  }
  const sum = (of: (testimony: Testimony) => number) =>
    testimonies.reduce((total, testimony) => total + of(testimony), 0);
  return [
    ...byName(ends),
    ['effects', ledger.filter(({ isApplied }) => isApplied).length],
    ['calls known by their key', ledger.filter(({ isApplied }) => !isApplied).length],
    ['decisions', sum(({ presses }) => presses.length)],
    ['cancels', sum(({ cancel }) => (cancel === null ? 0 : 1))],
    ['trespasses refused', sum(({ trespasses }) => trespasses.length)],
    ['resumptions', sum(({ resumptions }) => resumptions)],
    ['snapshots', sum(({ reading }) => reading.snapshots)],
  ];
}

function endOf({ refusal, reading: { end } }: Testimony): string {
  if (refusal !== null) return refusal;
  if (end?.type === 'complete') return end.finishReason;
  return end?.type === 'error' ? end.code : (end?.type ?? 'never');
}

function byName(counts: Readonly<Record<string, number>>): Row[] {
  return Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));
}

function takeoversOf({ takeovers }: CampaignReport): Row[] {
  const sorted = takeovers.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1);
  return [
    ['take-overs after kills', sorted.length],
    ['take-over p50, s', at(0.5)],
    ['take-over p95, s', at(0.95)],
    ['take-over max, s', at(1)],
  ];
}

function holdings(when: string, { heapMiB, rssMiB, handles }: Holdings): Row[] {
  return [
    [`heap ${when}, MiB`, heapMiB.toFixed(1)],
    [`rss ${when}, MiB`, rssMiB.toFixed(0)],
    [`handles ${when}`, handles],
  ];
}

const linesPerPromise = 4;

/** Some of each kind. */
function linesOf(breaches: readonly Breach[]): string[] {
  const kinds = Map.groupBy(breaches, ({ promise }) => promise);
  return [...kinds].flatMap(([promise, all]) => [
    `- ${promise}: ${all.length}`,
    ...all.slice(0, linesPerPromise).map(({ runId, details }) => `    ${runId ?? ''} ${details}`),
  ]);
}

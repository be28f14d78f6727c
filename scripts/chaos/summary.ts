import type { CampaignOptions, CampaignReport } from './campaign.ts';
import { phases } from './phases.ts';

type Row = readonly [name: string, value: string | number];

/** What a campaign lived through, and what was broken. */
export function summaryOf(options: CampaignOptions, report: CampaignReport): string {
  const { breaches, stories, driver } = report;
  const rows: Row[] = [
    ...Object.entries(options),
    ['seconds', report.seconds.toFixed(1)],
    ...countsOf(report),
    ...Object.entries(driver.counts).sort(),
    ...phases.map((phase): Row => [`kills inside ${phase}`, driver.killsIn[phase]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(10)}`);
  const verdict =
    breaches.length === 0
      ? ['No promise was broken.']
      : [
          `${breaches.length} BROKEN PROMISES (seed ${options.seed}):`,
          ...breaches
            .slice(0, 20)
            .map(({ promise, runId, details }) => `- ${promise}: ${runId ?? ''} ${details}`),
          ...stories,
        ];
  return ['', ...table, '', ...verdict].join('\n');
}

function countsOf({ evidence: { testimonies, ledger } }: CampaignReport): Row[] {
  const ends = new Map<string, number>();
  for (const { refusal, reading } of testimonies) {
    const { end } = reading;
    const how =
      refusal ??
      (end?.type === 'complete' ? end.finishReason : end?.type === 'error' ? end.code : end?.type);
    const name = `ended: ${how ?? 'never'}`;
    ends.set(name, (ends.get(name) ?? 0) + 1);
  }
  const sum = (of: (testimony: (typeof testimonies)[number]) => number) =>
    testimonies.reduce((total, testimony) => total + of(testimony), 0);
  return [
    ...[...ends].sort(),
    ['effects', ledger.filter(({ isApplied }) => isApplied).length],
    ['calls known by their key', ledger.filter(({ isApplied }) => !isApplied).length],
    ['decisions', sum(({ presses }) => presses.length)],
    ['cancels', sum(({ cancel }) => (cancel === null ? 0 : 1))],
    ['trespasses refused', sum(({ trespasses }) => trespasses.length)],
    ['cuts', sum(({ cuts }) => cuts)],
    ['snapshots', sum(({ reading }) => reading.snapshots)],
  ];
}

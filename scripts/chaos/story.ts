// The story of one run, for whoever has to find out what went wrong.
import type pg from 'pg';
import type { Evidence } from './oracle.ts';

/** Something that was done to the system, at a time of this machine. */
export interface Incident {
  readonly at: number;
  readonly what: string;
}

export async function storyOf(
  client: pg.Client,
  runId: string,
  { ledger, testimonies }: Evidence,
  incidents: readonly Incident[],
): Promise<string> {
  const lines: { at: number; text: string }[] = [];
  const { rows: runs } = await client.query('select * from run where run_id = $1', [runId]);
  const { rows: calls } = await client.query(
    'select * from tool_call where run_id = $1 order by call_no',
    [runId],
  );
  const { rows: entries } = await client.query(
    'select * from audit where chain = $1 order by sequence',
    [runId],
  );
  const { rows: events } = await client.query(
    'select n, event from run_event where run_id = $1 order by n',
    [runId],
  );
  for (const { at, action, details } of entries)
    lines.push({ at: Number(at), text: `audit ${action} ${JSON.stringify(details)}` });
  for (const entry of ledger) {
    if (entry.runId === runId)
      lines.push({ at: entry.at, text: `ledger ${JSON.stringify(entry)}` });
  }
  const [from, to] = [
    Number(runs[0]?.created_at ?? 0) - 5_000,
    Number(runs[0]?.finished_at ?? Date.now()) + 5_000,
  ];
  for (const { at, what } of incidents)
    if (at > from && at < to) lines.push({ at, text: `fault ${what}` });
  lines.sort((a, b) => a.at - b.at);
  const witness = testimonies.filter((testimony) => testimony.runId === runId);
  return [
    `run ${JSON.stringify(runs[0] ?? runId)}`,
    ...events.map(({ n, event }) => `  event ${n} ${JSON.stringify(event)}`),
    ...calls.map((call) => `  call ${JSON.stringify(call)}`),
    ...lines.map(({ at, text }) => `  ${new Date(at).toISOString()} ${text}`),
    ...witness.map(({ reading, ...rest }) => `  client ${JSON.stringify({ ...rest, ...reading })}`),
  ].join('\n');
}

// The story of one run, for whoever has to find out what went wrong.
import { withSchema } from './database.ts';
import type { Evidence } from './oracle.ts';

/** Something that was done to the system, at a time of this machine. */
export interface Incident {
  readonly at: number;
  readonly what: string;
}

const aroundMs = 5_000;

export function storyOf(
  postgresUrl: string,
  runId: string,
  { ledger, testimonies }: Evidence,
  incidents: readonly Incident[],
): Promise<string> {
  return withSchema(postgresUrl, async (client) => {
    const rowsOf = async (statement: string): Promise<Record<string, unknown>[]> =>
      (await client.query(statement, [runId])).rows;
    const [run = { runId }] = await rowsOf('select * from run where run_id = $1');
    const events = await rowsOf('select n, event from run_event where run_id = $1 order by n');
    const calls = await rowsOf('select * from tool_call where run_id = $1 order by call_no');
    const audit = await rowsOf(
      'select at, action, details from audit where chain = $1 order by sequence',
    );
    const from = Number(run['created_at'] ?? 0) - aroundMs;
    const to = Number(run['finished_at'] ?? Date.now()) + aroundMs;
    const happened = [
      ...audit.map(({ at, ...entry }) => ({
        at: Number(at),
        what: `audit ${JSON.stringify(entry)}`,
      })),
      ...ledger
        .filter((entry) => entry.runId === runId)
        .map((entry) => ({ at: entry.at, what: `ledger ${JSON.stringify(entry)}` })),
      ...incidents
        .filter(({ at }) => at > from && at < to)
        .map(({ at, what }) => ({ at, what: `fault: ${what}` })),
    ];
    const witnesses = testimonies.filter((testimony) => testimony.runId === runId);
    return [
      `run ${JSON.stringify(run)}`,
      ...events.map((event) => `  event ${JSON.stringify(event)}`),
      ...calls.map((call) => `  call ${JSON.stringify(call)}`),
      ...happened
        .sort((one, other) => one.at - other.at)
        .map(({ at, what }) => `  ${new Date(at).toISOString()} ${what}`),
      ...witnesses.map((witness) => `  client ${JSON.stringify(witness)}`),
    ].join('\n');
  });
}

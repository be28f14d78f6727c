// Judges a campaign that is over: what the store holds, what the tools did and what clients saw must agree.
import { postgresStores } from '@steward/store-postgres';
import type pg from 'pg';
import type { Testimony } from './client.ts';
import { withSchema } from './database.ts';
import type { LedgerEntry } from './ledger.ts';
import { promises } from './oracle-queries.ts';

/** A broken promise, and whose story tells of it. */
export interface Breach {
  readonly promise: string;
  readonly runId: string | null;
  readonly details: string;
}

export interface Evidence {
  readonly ledger: readonly LedgerEntry[];
  readonly testimonies: readonly Testimony[];
}

const tables = `
  drop table if exists chaos_ledger, chaos_client, chaos_press;
  create table chaos_ledger (run_id text, key text, tool text, is_applied boolean);
  create index on chaos_ledger (run_id, key);
  create table chaos_client (
    request_id text, user_id text, is_repeated boolean, run_id text, refusal text,
    end_type text, end_cursor text, end_text text, text text, snapshots integer, durable text[]
  );
  create index on chaos_client (run_id);
  create table chaos_press (run_id text, call_id text, approve boolean, answer text);
  create index on chaos_press (run_id, call_id);
  analyze`;

/** All promises, audit chains included. */
export async function judge(postgresUrl: string, evidence: Evidence): Promise<Breach[]> {
  const found = await withSchema(postgresUrl, (client) => examine(client, evidence));
  return [...found, ...(await brokenChains(postgresUrl))];
}

/** What tables and testimonies tell. */
export async function examine(client: pg.Client, evidence: Evidence): Promise<Breach[]> {
  await submit(client, evidence);
  return [...evidence.testimonies.flatMap(breachesSeen), ...(await breachesStored(client))];
}

async function submit(client: pg.Client, { ledger, testimonies }: Evidence): Promise<void> {
  await client.query(tables);
  const put = async (table: string, rows: readonly object[]) => {
    for (let at = 0; at < rows.length; at += 1_000) {
      const values = [JSON.stringify(rows.slice(at, at + 1_000))];
      await client.query(
        `insert into ${table} select * from json_populate_recordset(null::${table}, $1)`,
        values,
      );
    }
  };
  await put(
    'chaos_ledger',
    ledger.map(({ runId, key, tool, isApplied }) => ({
      run_id: runId,
      key,
      tool,
      is_applied: isApplied,
    })),
  );
  await put('chaos_client', testimonies.map(clientRow));
  await put(
    'chaos_press',
    testimonies.flatMap(({ runId, presses }) =>
      presses.map(({ callId, approve, answer }) => ({
        run_id: runId,
        call_id: callId,
        approve,
        answer,
      })),
    ),
  );
}

function clientRow({ requestId, userId, isRepeated, runId, refusal, reading }: Testimony) {
  const { end, text, snapshots, durable } = reading;
  return {
    request_id: requestId,
    user_id: userId,
    is_repeated: isRepeated,
    run_id: runId,
    refusal,
    end_type: end?.type,
    end_cursor: end?.cursor,
    end_text: end?.type === 'complete' ? end.text : end?.partialText,
    text,
    snapshots,
    durable,
  };
}

/** What a client could tell by itself. */
function breachesSeen({ runId, reading, trespasses }: Testimony): Breach[] {
  const fair = ['not_found', 'silence', 'store_unavailable', 'closed'];
  return [
    ...reading.faults.map((details) => ({
      promise: 'I5 nothing is read twice, late or of others',
      runId,
      details,
    })),
    ...trespasses
      .filter((answer) => !fair.includes(answer))
      .map((details) => ({ promise: 'I8 nobody else is heard', runId, details })),
  ];
}

async function breachesStored(client: pg.Client): Promise<Breach[]> {
  const found: Breach[] = [];
  for (const [promise, statement] of Object.entries(promises)) {
    const { rows } = await client.query<Record<string, string | null>>(statement);
    for (const { run_id: runId = null, ...details } of rows) {
      found.push({ promise, runId, details: JSON.stringify(details) });
    }
  }
  return found;
}

export async function brokenChains(connectionString: string): Promise<Breach[]> {
  const { rows } = await withSchema(connectionString, (client) =>
    client.query<{ chain: string }>('select distinct chain from audit'),
  );
  const stores = await postgresStores({ connectionString });
  const found: Breach[] = [];
  for (const { chain } of rows) {
    const verdict = await stores.audit.verify(chain);
    if (verdict.valid) continue;
    found.push({
      promise: 'I7 the audit chain is whole',
      runId: chain,
      details: JSON.stringify(verdict),
    });
  }
  await stores.close();
  return found;
}

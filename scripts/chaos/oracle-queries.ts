// The promises as SQL: each statement finds what breaks one. `run_id` tells whose story to print.
// `l` is the ledger of the tool server, `c` what clients saw, `p` their decisions; the rest are the tables of the store.

/** Calls by their audit entries. */
const audited = (action: string) =>
  `(select count(*) from audit a where a.chain = t.run_id and a.action = '${action}' and a.details ->> 'callId' = t.call_id)`;

/** One cursor is `epoch-number`. */
const epochOf = (cursor: string) => `split_part(${cursor}, '-', 1)::int`;

const wordOf = `regexp_split_to_table(trim(r.ending ->> 'text'), ' ') word`;

export const promises: Readonly<Record<string, string>> = {
  'I1 no accepted run is lost': `
    select c.run_id from chaos_client c left join run r using (run_id)
    where c.run_id is not null and r.run_id is null`,
  'I1 every run ends': 'select run_id from run where finished_at is null',
  'I1 every client sees an end': `
    select c.run_id, c.request_id from chaos_client c where c.refusal is null and c.end_type is null`,
  // Who has to end it may be away by then, several times.
  'I1 a run ends by its deadline': `
    select run_id, finished_at - deadline_at as late from run where finished_at > deadline_at + 45000`,
  'I1 one run for one request': `
    select min(run_id) as run_id, request_id from run
    where request_id is not null group by user_id, request_id having count(*) > 1`,
  'I1 a refused request has no run': `
    select r.run_id from chaos_client c join run r using (request_id, user_id) where c.refusal is not null and not c.is_repeated`,
  'I1 no run fails for a reason of our own': `
    select run_id, ending -> 'error' as error from run where ending -> 'error' ->> 'code' = 'internal'`,
  'I2 one terminal event, and it is the last': `
    select run_id from run r where 1 <> (
      select count(*) from run_event e where e.run_id = r.run_id
        and e.event ->> 'type' in ('complete', 'error', 'cancelled')
    ) or not exists (
      select from run_event e where e.run_id = r.run_id and e.n = r.event_count
        and e.event ->> 'type' in ('complete', 'error', 'cancelled')
    )`,
  'I3 a write takes effect at most once': `
    select l.run_id, l.key from chaos_ledger l where l.tool like 'write%' and l.is_applied
    group by l.run_id, l.key having count(*) > 1`,
  'I3 a write starts at most once': `
    select l.run_id, l.key from chaos_ledger l join tool_call t on t.run_id = l.run_id and t.call_id = l.key
    where t.effect = 'write' group by l.run_id, l.key having count(*) > 1
    union select run_id, call_id from tool_call where effect = 'write' and starts > 1`,
  'I3 what succeeded took effect': `
    select t.run_id, t.call_id from tool_call t where t.status = 'succeeded'
    and not exists (select from chaos_ledger l where l.run_id = t.run_id and l.key = t.call_id and l.is_applied)`,
  'I3 what was declined took none': `
    select t.run_id, t.call_id from tool_call t join chaos_ledger l on l.run_id = t.run_id and l.key = t.call_id
    where t.status = 'declined'`,
  'I3 no effect without a start that was let through': `
    select l.run_id, l.key from chaos_ledger l
    left join tool_call t on t.run_id = l.run_id and t.call_id = l.key
    where coalesce(t.starts, 0) = 0 or t.started_by is null`,
  'I3 no effect without a consumed confirmation': `
    select t.run_id, t.call_id from tool_call t join chaos_ledger l on l.run_id = t.run_id and l.key = t.call_id
    where t.permission = 'confirm' and t.confirmation is distinct from 'consumed'`,
  'I3 every call of a run that succeeded has a result': `
    select t.run_id, t.call_id from tool_call t join run r using (run_id)
    where r.status = 'succeeded' and t.result is null`,
  'I4 the log has no gap': `
    select r.run_id from run r left join run_event e using (run_id) group by r.run_id, r.event_count
    having count(e.n) <> r.event_count or coalesce(max(e.n), 0) <> r.event_count`,
  'I4 no owner writes after its successor': `
    select run_id from (
      select run_id, ${epochOf("event ->> 'cursor'")} as epoch,
        lag(${epochOf("event ->> 'cursor'")}) over (partition by run_id order by n) as before
      from run_event
    ) e where epoch < before`,
  'I5 clients read the end that is stored': `
    select c.run_id from chaos_client c join run r using (run_id)
    join run_event e on e.run_id = r.run_id and e.n = r.event_count
    where c.end_type is not null and c.end_cursor <> e.event ->> 'cursor'`,
  'I5 clients read the text that is stored': `
    select c.run_id, c.text, r.ending ->> 'text' as stored from chaos_client c join run r using (run_id)
    where c.end_type = 'complete' and (
      c.end_text <> r.ending ->> 'text'
      or (r.ending ->> 'finishReason' = 'stop' and c.text <> r.ending ->> 'text'))`,
  'I5 clients miss nothing without being told': `
    select c.run_id, e.event ->> 'type' as type from chaos_client c join run_event e using (run_id)
    where c.end_type is not null and c.snapshots = 0 and not (e.event ->> 'cursor' = any(c.durable))`,
  'I5 no text is made of two generations': `
    select r.run_id from run r, ${wordOf} where r.status = 'succeeded' and word <> ''
    group by r.run_id having count(distinct split_part(word, '.', 3)) > 1
      or count(*) <> max(split_part(word, '.', 4)::int) + 1`,
  'I6 one message of the user, one of the assistant': `
    select r.run_id from run r left join message m using (run_id) group by r.run_id, r.status, r.ending ->> 'text'
    having count(*) filter (where m.role = 'user') > 1 or count(*) filter (where m.role = 'assistant') > 1
      or (r.status = 'succeeded' and count(m.role) <> 2)`,
  'I6 the answer is what the run ended with': `
    select r.run_id from run r join message m using (run_id)
    where m.role = 'assistant' and r.status = 'succeeded' and m.content #>> '{}' <> r.ending ->> 'text'`,
  'I7 one audit entry for each start, end and decision': `
    select t.run_id, t.call_id from tool_call t
    where ${audited('call.started')} <> t.starts
      or ${audited('call.finished')} <> case when t.result is null then 0 else 1 end
      or ${audited('confirmation.approved')} + ${audited('confirmation.declined')} > 1
      or (t.confirmation = 'consumed' and ${audited('confirmation.approved')} <> 1)`,
  'I7 one audit entry for the end of a run': `
    select r.run_id from run r where 1 <> (select count(*) from audit a where a.chain = r.run_id and a.action = 'run.ended')`,
  'I7 a decision is taken once, and kept': `
    select p.run_id, p.call_id from chaos_press p where p.answer = 'ok' group by p.run_id, p.call_id having count(*) > 1
    union
    select p.run_id, p.call_id from chaos_press p join tool_call t using (run_id, call_id)
    where p.answer = 'ok' and p.approve <> (t.confirmation in ('approved', 'consumed', 'expired'))`,
};

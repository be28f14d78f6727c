import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { crashPointNames } from '../../internal/crash-point.ts';
import { approveOnce } from './approve-once.ts';
import { failOver } from './fail-over.ts';

const usage = `steward-test COMMAND SET-UP [options]

  approve-once       one approval, pressed in two tabs at two replicas, and once more later: does the tool run once?
  fail-over          kills the process of a run at one point after the other: does every promise hold?
    --deaths A,B     only this: the first owner dies at A, the one that takes over at B; may be given several times

SET-UP is a module whose default export makes your assistant; see SetUp in @steward/core/testing.
Points: ${crashPointNames.join(', ')}`;

/** Moments that a run passes by itself, each another state in which it is left. */
const usual = [
  'after_create',
  'after_turn_commit',
  'after_start_call',
  'after_effect',
  'after_pause',
  'after_decide',
  'before_finish',
];

/** The command line `steward-test`. Returns the exit code: 1 when a promise is broken, 2 for a wrong command line. */
export async function runCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<0 | 1 | 2> {
  const asked = read(args);
  if (asked === undefined) {
    print(usage);
    return 2;
  }
  const { command, setUp, deaths } = asked;
  return command === 'approve-once' ? approvedOnce(setUp, print) : failedOver(setUp, deaths, print);
}

function read(args: readonly string[]) {
  try {
    const options = { deaths: { type: 'string', multiple: true } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, path, ...rest] = positionals;
    const isKnown = command === 'approve-once' || command === 'fail-over';
    if (!isKnown || path === undefined || rest.length > 0) return undefined;
    const deaths = values.deaths?.map((one) => one.split(',')) ?? usual.map((point) => [point]);
    return { command, setUp: pathToFileURL(path).href, deaths };
  } catch {
    return undefined;
  }
}

async function approvedOnce(setUp: string, print: (line: string) => void): Promise<0 | 1> {
  const { atOnce, later, whileRunning, broken } = await approveOnce({ setUp });
  print(`approved twice at once: ran ${atOnce} times`);
  print(`approved again later: ran ${later} times more`);
  print(`approved again while it ran: ran ${whileRunning} times`);
  for (const one of broken) print(JSON.stringify(one));
  return broken.length === 0 && atOnce === 1 && later === 0 && whileRunning === 1 ? 0 : 1;
}

async function failedOver(
  setUp: string,
  all: readonly (readonly string[])[],
  print: (line: string) => void,
): Promise<0 | 1> {
  let code: 0 | 1 = 0;
  for (const deaths of all) {
    const person = deaths.includes('after_cancel') ? 'cancels' : 'approves';
    const { broken, died, recoveries } = await failOver({ setUp, deaths, person });
    const waits = recoveries.map((ms) => `${Math.round(ms)} ms`).join(', ');
    const verdict = broken.length === 0 ? 'every promise holds' : `${broken.length} broken`;
    print(`${deaths.join(', ')}: died ${died.length} times, went on after ${waits}: ${verdict}`);
    for (const one of broken) print(JSON.stringify(one));
    if (broken.length > 0 || died.length < deaths.length) code = 1;
  }
  return code;
}

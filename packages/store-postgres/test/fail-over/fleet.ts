import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Command, ReplicaSettings, Report } from './replica.ts';

/** An event of a run, as a replica saw it. */
export type Seen = Extract<Report, { says: 'event' }>;

/** A replica as its parent sees it. */
export class Replica {
  readonly reports: Report[] = [];
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: Report) => {
      this.reports.push(report);
      for (const listener of this.#listeners) listener();
    });
  }

  static async open(settings: ReplicaSettings): Promise<Replica> {
    const child = fork(new URL('./replica.ts', import.meta.url), [JSON.stringify(settings)], {
      execArgv: ['--conditions=@steward/source', '--no-warnings'],
    });
    const replica = new Replica(child);
    await replica.until((report) => report.says === 'ready');
    return replica;
  }

  tell(command: Command): void {
    this.#child.send(command);
  }

  /** Starts runs here; resolves once all have begun. */
  async start(count: number, input: 'speak' | 'ask' = 'speak'): Promise<readonly string[]> {
    const before = this.reports.length;
    this.tell({ do: 'start', count, input });
    const report = await this.until((one) => one.says === 'started', before);
    return report.says === 'started' ? report.runIds : [];
  }

  /** The first report from the given place on that `holds`. */
  until(holds: (report: Report) => boolean, from = 0, ms = 60_000): Promise<Report> {
    let at = from;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing came within ${ms} ms`)), ms);
      const look = () => {
        for (; at < this.reports.length; at++) {
          const report = this.reports[at];
          if (!report || !holds(report)) continue;
          clearTimeout(timer);
          this.#listeners.delete(look);
          return resolve(report);
        }
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** The first event of a run, seen here, that `holds`. */
  async untilEvent(runId: string, holds: (event: Seen) => boolean, from = 0): Promise<Seen> {
    const isIt = (report: Report) =>
      report.says === 'event' && report.runId === runId && holds(report);
    return (await this.until(isIt, from)) as Seen;
  }

  /** The epoch under which a run was last seen here. */
  epochOf(runId: string): number {
    const isOfIt = (report: Report): report is Seen =>
      report.says === 'event' && report.runId === runId;
    return this.reports.findLast(isOfIt)?.epoch ?? 0;
  }

  /** Sends the process a signal, and waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}

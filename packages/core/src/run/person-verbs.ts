import { StewardError } from '../errors/steward-error.ts';
import { newId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import type { Decision, Owner } from '../stores/run-store.ts';
import type { RunDriver } from './run-driver.ts';
import { notFound } from './run-reader.ts';
import type { RunSettings } from './run-settings.ts';

/** What people ask of a run that there is already, wherever it runs. Their words are checked before they come here. */
export class PersonVerbs {
  readonly #settings: RunSettings;
  readonly #driver: RunDriver;

  constructor(settings: RunSettings, driver: RunDriver) {
    this.#settings = settings;
    this.#driver = driver;
  }

  async confirm(decision: Omit<Decision, 'useWithinMs'>): Promise<void> {
    const { stores, limits, crashPoint } = this.#settings;
    const { useWithinMs } = limits;
    const outcome = await stores.runs.decide({ ...decision, useWithinMs });
    if (outcome.kind === 'decided') await crashPoint('after_decide');
    await this.#driver.wake(outcome.wake);
    if (outcome.kind === 'decided') return;
    const { code } = outcome;
    const { tenantId, userId, runId, callId } = decision;
    await stores.audit.append({
      tenantId,
      userId,
      // The chain of a run is its owner's: whoever tries at another's is written into a chain of his own.
      chain: code === 'not_found' ? `refused:${tenantId}:${userId}` : runId,
      action: 'confirmation.refused',
      details: { runId, callId, code },
    });
    throw new StewardError(code, refusals[code], { field: 'callId' });
  }

  async answer(runId: string, owner: Owner, requestId: string, content: Json): Promise<void> {
    const outcome = await this.#settings.stores.runs.answerInput(runId, owner, requestId, content);
    if (outcome === 'not_found') throw notFound(runId);
    if (outcome === 'already_decided') {
      throw new StewardError('already_decided', 'This question was answered before.');
    }
    await this.#driver.tell(runId);
  }

  async cancel(runId: string, owner: Owner): Promise<void> {
    const { stores, crashPoint } = this.#settings;
    const { found, wake } = await stores.runs.requestCancel(runId, owner);
    if (!found) throw notFound(runId);
    await crashPoint('after_cancel');
    await this.#driver.tell(runId);
    await this.#driver.wake(wake);
  }

  async steer(runId: string, owner: Owner, text: string): Promise<void> {
    const steer = { steerId: newId('steer'), text };
    const outcome = await this.#settings.stores.runs.steer(runId, owner, steer);
    if (outcome === 'not_found') throw notFound(runId);
    if (outcome === 'not_waiting') {
      throw new StewardError('not_waiting', 'The run takes no more turns.');
    }
    await this.#driver.tell(runId);
  }
}

/** Why a decision did not count. */
const refusals = {
  not_found: 'There is no such confirmation of this user.',
  already_decided: 'This confirmation was decided before; look at the run for what came of it.',
  confirmation_expired: 'This confirmation was not decided in time; the model may ask again.',
  args_mismatch: 'These are not the arguments that were shown; read the request again.',
} as const;

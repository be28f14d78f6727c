import type { Json } from '../../internal/json.ts';
import type { EffectRecord } from '../oracle/evidence.ts';

/** A request as it reached the outside. */
export interface OutsideRequest extends EffectRecord {
  readonly tool: string;
  readonly args: Json;
}

/** The world on which the tools of replicas act. It outlives them, and keeps a ledger of what they asked. */
export class Outside {
  readonly #requests: OutsideRequest[] = [];
  /** Called after an effect, before the tool hears of it. */
  onEffect: (request: OutsideRequest) => void | Promise<void> = () => {};

  /** Every request so far, in order. */
  get requests(): readonly OutsideRequest[] {
    return this.#requests;
  }

  /** Requests of tools that write, as the oracle takes them. */
  get effects(): readonly EffectRecord[] {
    return this.#requests.filter(({ tool }) => tool !== 'read');
  }

  /** Has the effect, unless the key is known, and notes it. */
  async take(request: Omit<OutsideRequest, 'applied'>): Promise<void> {
    // Only a tool that honours the key does nothing when it sees one again.
    const isKnown =
      request.tool === 'write_idempotent' &&
      this.#requests.some(({ callId }) => callId === request.callId);
    const taken = { ...request, applied: !isKnown };
    this.#requests.push(taken);
    await this.onEffect(taken);
  }
}

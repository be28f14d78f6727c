import type { ModelCallOptions, ModelClient } from './model-client.ts';
import type { ModelEvent } from './model-events.ts';

/**
 * A model whose answers are made in the background: they outlive the connection on which they were asked for, and whoever
 * knows the id of one (a `resumable` event says it) can read it from its beginning. With it a run that changes its owner
 * goes on with the answer that was begun instead of asking, and paying, again. `openaiModel` with `background` is one.
 *
 * @example
 * ```ts
 * import { type BackgroundModel, openaiModel } from '@steward/core';
 *
 * const model: BackgroundModel = openaiModel({ model: 'gpt-5', background: true });
 * const signal = AbortSignal.timeout(60_000);
 * for await (const event of model.resume('resp_123', { signal })) console.log(event.type);
 * ```
 */
export interface BackgroundModel extends ModelClient {
  /** The events of an answer from its first one on; an `error` event where the provider does not have it any more. */
  resume(responseId: string, options: ModelCallOptions): AsyncIterable<ModelEvent>;
  /** Ends an answer that nobody wants any more. Never throws. */
  cancel(responseId: string): Promise<void>;
}

export function isBackgroundModel(model: ModelClient): model is BackgroundModel {
  return 'resume' in model && 'cancel' in model;
}

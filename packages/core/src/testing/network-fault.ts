/** The bytes that a client sends, or those that it is sent. */
export type FlowDirection = 'request' | 'answer';

/**
 * What happens to the connections through a {@link faultProxy}, to those that are open and to new ones.
 *
 * - `pass`: nothing; what was held or slowed is delivered.
 * - `refuse`: open connections are reset, new ones refused (`ECONNREFUSED`), as where no process listens.
 * - `reset`: connections are reset (RST), new ones as soon as they are accepted.
 * - `hang`: connections are accepted, and no byte moves until another fault is set: a process that was stopped.
 * - `half_open`: all bytes vanish, also the end of the connection, and those that are open then stay mute for good: a
 *   machine that lost its power, a firewall that forgot. New ones are accepted and as mute.
 * - `cut`: after so many more bytes of a direction a connection ends. With `times`, only the first connections do.
 * - `slow`: so many bytes a second in each direction of each connection.
 * - `lose_answers`: what is asked arrives and is done; at the first byte of the answer the connection is reset, or, with
 *   `silently`, answers vanish while the connection stays. With `times`, only for the first connections.
 */
export type NetworkFault =
  | { readonly kind: 'pass' | 'refuse' | 'reset' | 'hang' | 'half_open' }
  | {
      readonly kind: 'cut';
      readonly afterBytes: number;
      readonly direction: FlowDirection;
      readonly times?: number;
    }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  | { readonly kind: 'lose_answers'; readonly silently?: boolean; readonly times?: number };

const kinds: readonly NetworkFault['kind'][] = [
  'pass',
  'refuse',
  'reset',
  'hang',
  'half_open',
  'cut',
  'slow',
  'lose_answers',
];

/** Throws a `TypeError` that names the field, for those who write JavaScript. */
export function checkFault(fault: NetworkFault): void {
  if (!kinds.includes(fault.kind)) {
    throw new TypeError(`kind must be one of ${kinds.join(', ')}, got ${String(fault.kind)}`);
  }
  if (fault.kind === 'slow') mustCount('bytesPerSecond', fault.bytesPerSecond, 1);
  if (fault.kind === 'cut') {
    mustCount('afterBytes', fault.afterBytes, 0);
    if (fault.direction !== 'request' && fault.direction !== 'answer') {
      throw new TypeError(`direction must be request or answer, got ${String(fault.direction)}`);
    }
  }
  if ('times' in fault && fault.times !== undefined) mustCount('times', fault.times, 1);
}

function mustCount(field: string, value: number, from: number): void {
  if (Number.isSafeInteger(value) && value >= from) return;
  throw new TypeError(`${field} must be a whole number from ${from}, got ${value}`);
}

// The tool that waits for a person. It takes as long as a call over a network, and every real execution is counted.
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const tookMs = 100;
const events = new EventEmitter();
let count = 0;

export const executions = () => count;
/** Resolves when the tool starts the next time. */
export const started = () => once(events, 'start');

export const prompt = 'Send the invoice.';
/** The first answer of the fake server calls the tool, the second one is text. */
export const model = 'fake-5-1x1';

/** `z` is the peer's own copy of zod. */
export const sendInvoice = (z) => ({
  name: 'send_invoice',
  description: 'Sends an invoice to its customer.',
  schema: z.object({ id: z.number().int(), name: z.string() }),
  execute: async ({ id }) => {
    count += 1;
    events.emit('start');
    await sleep(tookMs);
    return { sent: true, value: `v-${id}` };
  },
});

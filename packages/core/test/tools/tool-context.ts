import type { ToolContext } from '../../src/tools/tool.ts';

/** A context as the gate gives it. */
export function toolContext(change: Partial<ToolContext> = {}): ToolContext {
  return {
    runId: 'run_1',
    callId: 'call_1',
    conversationId: 'conversation_1',
    principal: { userId: 'ann', tenantId: 'acme' },
    idempotencyKey: 'key_1',
    attempt: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    requestInput: () => Promise.reject(new Error('nobody is there to be asked')),
    ...change,
  };
}

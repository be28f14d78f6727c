import type { Effect } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type { PlannedCall } from '../stores/run-store.ts';
import type { ConfirmContext, Tool } from '../tools/tool.ts';

const asksByDefault: Readonly<Record<Effect, boolean>> = {
  read: false,
  write_idempotent: true,
  write: true,
};

/**
 * Decides whether a person must approve a call, and why not when not. A rule of the host wins over the default of the
 * effect; a rule that throws asks.
 */
export async function authorize(
  tool: Tool,
  args: Json,
  context: ConfirmContext,
): Promise<PlannedCall['authorization']> {
  const { confirm } = tool;
  if (confirm === null) return asksByDefault[tool.effect] ? 'confirm' : 'waived:read';
  if (confirm === 'always') return 'confirm';
  if (confirm === 'never') return 'waived:never';
  try {
    return (await confirm(args, context)) === false ? 'waived:rule' : 'confirm';
  } catch {
    // A broken rule must not open the gate.
    return 'confirm';
  }
}

import { READ_ARTIFACT } from '../artifacts/read-artifact-tool.ts';
import type { Message } from '../events/message.ts';
import { defined } from '../internal/defined.ts';
import type { ModelRequest } from '../model/model-client.ts';
import { historyMessages, turnMessages } from '../prompt/turn-messages.ts';
import type { OwnedRun } from './owned-run.ts';

/** What the model is asked in a turn: the conversation, the run so far, what was steered, and the tools. */
export async function turnRequest(run: OwnedRun, turn: number): Promise<ModelRequest> {
  const { settings, options } = run;
  await applySteers(run, turn);
  const messages = messagesOf(run);
  const { runId } = run.record;
  const responseId = run.turns.at(-1)?.responseId ?? null;
  const context = { runId, turn, messages, responseId };
  const changed = (await run.orStop(() => settings.prepareTurn(context))) ?? {};
  const extra = { ...options.extra, ...changed.extra };
  return {
    messages: changed.messages ?? messages,
    tools: settings.tools.definitions(changed.tools ?? withArtifacts(run)),
    ...defined({
      instructions: changed.instructions ?? options.instructions ?? settings.instructions,
      toolChoice: changed.toolChoice ?? options.toolChoice,
      output: options.output,
      maxOutputTokens: options.maxOutputTokens,
      extra: Object.keys(extra).length > 0 ? extra : undefined,
    }),
  };
}

function messagesOf(run: OwnedRun): Message[] {
  const { input } = run.record;
  const asked: Message[] =
    input.kind === 'message' ? [{ role: 'user', content: input.content }] : [];
  return [...historyMessages(run.history), ...asked, ...turnMessages(run)];
}

/** All tools and the reader of artifacts once there is something to read; otherwise the usual ones. */
function withArtifacts({ calls, history, settings }: OwnedRun): readonly string[] | undefined {
  const kept =
    calls.some((call) => call.result?.artifact) ||
    history.some(({ turns }) =>
      turns?.some((said) => said.role === 'tool' && said.content.includes(READ_ARTIFACT)),
    );
  return kept ? settings.tools.list().map((tool) => tool.name) : undefined;
}

/** Puts what was steered since the last turn before this one. */
async function applySteers(run: OwnedRun, turn: number): Promise<void> {
  const waiting = run.steers.filter((steer) => steer.turn === null);
  // An answer that is being made already knows nothing of what was said since: the next turn gets it.
  if (waiting.length === 0 || run.openResponse !== null) return;
  await run.log.store(
    waiting.map(({ text }) => ({ type: 'steered', turn, text })),
    (events) =>
      run.settings.stores.runs.applySteers(
        run.fence,
        waiting.map((steer) => steer.steerId),
        turn,
        events,
      ),
  );
  run.steers = run.steers.map((steer) => (steer.turn === null ? { ...steer, turn } : steer));
}

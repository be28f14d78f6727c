/** What a code means to the person who meets it, and whether the same request may succeed later. */
export interface ErrorCodeEntry {
  readonly meaning: string;
  readonly retryable: boolean;
}

const entry = (meaning: string, retryable = false): ErrorCodeEntry => ({ meaning, retryable });

/**
 * Every error code of Steward with its meaning. `docs/reference/errors.md` is held to this table by a test.
 *
 * @example
 * ```ts
 * import { errorCodes } from '@steward/core';
 *
 * console.log(errorCodes.conversation_busy.meaning, errorCodes.conversation_busy.retryable);
 * ```
 */
export const errorCodes = {
  aborted: entry('The caller aborted the operation.'),
  already_decided: entry('The confirmation was decided, used or expired before this decision.'),
  args_mismatch: entry('The arguments are not the ones that were shown or approved.'),
  artifact_too_large: entry('The body is larger than the artifact store takes.'),
  authorization_required: entry(
    'A tool server is used in the name of the user, who has not signed in there; see `assistant.signIn`.',
  ),
  call_declined: entry('A person declined the call, or nobody approved it in time.'),
  closed: entry('The assistant was closed; create a new one.'),
  confirmation_expired: entry(
    'The confirmation was not decided or used in time, or the question not answered.',
  ),
  confirmation_required: entry('The call needs a confirmation that it does not have.'),
  conversation_busy: entry(
    'Another run of this conversation is not finished; wait, or set `onBusy`.',
    true,
  ),
  crash_loop: entry('The run stopped its owner several times without progress and was given up.'),
  duplicate_tool: entry('Two tools have the same name.'),
  fenced: entry('Another process owns this run now; this one stopped.'),
  internal: entry('Something in Steward itself failed; please report it.'),
  invalid_argument: entry('A value given to Steward is not acceptable; the message names it.'),
  invalid_output: entry('The final answer does not match the `output` schema.'),
  mcp_failed: entry('An MCP server answered with an error or not in its protocol.', true),
  mcp_unavailable: entry('An MCP server cannot be reached or did not start.', true),
  model_failed: entry('The model provider failed or sent what cannot be read.', true),
  model_not_configured: entry('No API key or model is set; see `openaiModel`.'),
  model_rate_limited: entry('The model provider refused because of a rate limit or quota.', true),
  model_rejected: entry('The model provider refused the request as it is.'),
  model_timeout: entry('The model provider did not answer in time.', true),
  model_unauthorized: entry('The model provider refused the API key.'),
  model_unreachable: entry('No connection to the model provider.', true),
  not_found: entry('There is no such object, or it belongs to somebody else.'),
  not_waiting: entry('The run is not in a state that takes this.'),
  outcome_unknown: entry(
    'The call was started and no answer came; nobody can say whether it took effect.',
  ),
  queue_full: entry('Too many runs wait for this conversation.', true),
  rate_limited: entry('Too many requests; try again later.', true),
  request_conflict: entry('This `requestId` was used before with another body.'),
  store_unavailable: entry('A store cannot be reached.', true),
  tool_changed: entry('The definition of the tool changed since the call was planned or approved.'),
  tool_failed: entry('The tool failed.'),
  tool_not_found: entry('No tool has this name.'),
  tool_timeout: entry('The tool did not answer in time.', true),
  unauthenticated: entry('The caller did not prove who it is.'),
} as const satisfies Record<string, ErrorCodeEntry>;

/** A code of {@link errorCodes}; a union that narrows in a `switch`. */
export type ErrorCode = keyof typeof errorCodes;

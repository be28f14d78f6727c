// What the page shows of a run, built from its events. Plain data: the server builds the same from the store.

/** @typedef {import('@steward/core').RunEvent} RunEvent */
/** @typedef {import('@steward/core').ToolOutcome} ToolOutcome */
/** @typedef {'planned' | 'waiting' | 'approved' | 'running' | ToolOutcome} ToolState */

/**
 * @typedef {object} TextPart
 * @property {'text'} kind
 * @property {string} key
 * @property {string} text
 */

/**
 * @typedef {object} ToolPart
 * @property {'tool'} kind
 * @property {string} key the call id
 * @property {string} tool
 * @property {unknown} args
 * @property {string} effect
 * @property {string} argsDigest
 * @property {ToolState} state
 * @property {boolean} approved by a person
 * @property {string | null} result what the model reads, once there is one
 * @property {string | null} note progress, or why it did not succeed
 * @property {{ bytes: number, mediaType: string } | null} artifact
 */

/**
 * @typedef {object} QuestionPart what a tool asks the person while it runs
 * @property {'question'} kind
 * @property {string} key the request id
 * @property {string} callId
 * @property {string} server
 * @property {string} message
 * @property {import('@steward/core').JsonObject | null} schema of the answer
 * @property {string | null} url where to go instead
 * @property {boolean} answered on this page; no event says so
 */

/** @typedef {TextPart | ToolPart | QuestionPart} Part */
/** @typedef {'open' | 'complete' | 'short' | 'stalled' | 'error' | 'cancelled'} RunState */

/**
 * @typedef {object} RunView
 * @property {string} runId
 * @property {string} question
 * @property {Part[]} parts
 * @property {RunState} state
 * @property {string | null} notice why it ended early
 */

/**
 * @param {string} runId
 * @param {string} question
 * @returns {RunView}
 */
export const openView = (runId, question) => ({
  runId,
  question,
  parts: [],
  state: 'open',
  notice: null,
});

/**
 * @param {RunView} view
 * @param {string} callId
 * @returns {ToolPart | undefined}
 */
export function toolPart(view, callId) {
  const part = view.parts.find((candidate) => candidate.key === callId);
  return part?.kind === 'tool' ? part : undefined;
}

/**
 * The text of a turn; begun when it is not there.
 * @param {RunView} view
 * @param {number} turn
 * @returns {TextPart}
 */
function textPart(view, turn) {
  const key = textKey(turn);
  const last = view.parts.at(-1);
  const there = last?.key === key ? last : view.parts.find((part) => part.key === key);
  if (there?.kind === 'text') return there;
  /** @type {TextPart} */
  const part = { kind: 'text', key, text: '' };
  view.parts.push(part);
  return part;
}

/**
 * @param {Pick<import('@steward/core').PendingConfirmation, 'callId' | 'tool' | 'args' | 'effect' | 'argsDigest'>} call
 * @param {ToolState} state
 * @returns {ToolPart}
 */
export const newToolPart = ({ callId, tool, args, effect, argsDigest }, state) => ({
  kind: 'tool',
  key: callId,
  tool,
  args,
  effect,
  argsDigest,
  state,
  approved: false,
  result: null,
  note: null,
  artifact: null,
});

/**
 * @param {RunView} view
 * @param {import('@steward/core').PendingInput} input
 */
function askQuestion(view, input) {
  const { requestId, callId, server, message } = input;
  if (view.parts.some((part) => part.key === requestId)) return requestId;
  view.parts.push({
    kind: 'question',
    key: requestId,
    callId,
    server,
    message,
    schema: input.schema ?? null,
    url: input.url ?? null,
    answered: false,
  });
  return requestId;
}

/**
 * Questions end with the call that asked them, or with the run.
 * @param {RunView} view
 * @param {string} [callId]
 */
function dropQuestions(view, callId) {
  view.parts = view.parts.filter(
    (part) => part.kind !== 'question' || (callId !== undefined && part.callId !== callId),
  );
}

/**
 * The state of a call once its run has ended: what was not started never is, what did not finish has no known end.
 * @param {ToolState | 'started'} state
 * @returns {ToolState}
 */
export function endedState(state) {
  if (state === 'planned' || state === 'waiting' || state === 'approved') return 'declined';
  return state === 'running' || state === 'started' ? 'unknown' : state;
}

/**
 * @param {RunView} view
 * @param {Pick<RunView, 'state' | 'notice'>} end
 */
function endRun(view, end) {
  Object.assign(view, end);
  dropQuestions(view);
  for (const part of view.parts) if (part.kind === 'tool') part.state = endedState(part.state);
  return null;
}

const textPrefix = 'turn-';

/** @param {number} turn */
export const textKey = (turn) => `${textPrefix}${turn}`;

/** @param {TextPart} part */
const turnOf = ({ key }) => Number(key.slice(textPrefix.length));

/** @type {Record<string, string>} */
const shortNotices = {
  length: 'The answer reached its length limit.',
  content_filter: 'The provider’s content filter ended the answer.',
  budget: 'The token budget of this answer is used up.',
  deadline: 'The time for this answer is used up.',
  max_turns: 'The assistant stopped after its maximum number of steps.',
  stalled: 'The answer stopped arriving. What came is kept.',
};

/**
 * How a completed run ended, for the page.
 * @param {string} finishReason
 * @returns {Pick<RunView, 'state' | 'notice'>}
 */
export function completedAs(finishReason) {
  const notice = shortNotices[finishReason] ?? null;
  if (notice === null) return { state: 'complete', notice };
  return { state: finishReason === 'stalled' ? 'stalled' : 'short', notice };
}

/**
 * What is said in a snapshot takes the place of what was shown of its turn and of later ones: their tokens follow again.
 * @param {RunView} view
 * @param {Extract<RunEvent, { type: 'snapshot' }>} event
 */
function retellText(view, { turn, openText, messages }) {
  view.parts = view.parts.filter((part) => part.kind !== 'text' || turnOf(part) < turn);
  if (openText !== '') textPart(view, turn).text = openText;
  const answer = messages.findLast((message) => message.role === 'assistant')?.content;
  if (openText !== '' || typeof answer !== 'string') return;
  // The run has ended: its answer is that of the last turn, of which a part may be here, or of one that was cut short.
  const last = view.parts.findLast((part) => part.kind === 'text');
  if (last && answer.startsWith(last.text)) last.text = answer;
  else if (answer !== '') textPart(view, turn).text = answer;
}

/**
 * Changes of tool calls, by event type. Each returns the key of the part that changed.
 * @type {{ [T in RunEvent['type']]?: (view: RunView, event: Extract<RunEvent, { type: T }>) => string | null }}
 */
const changes = {
  token(view, event) {
    const part = textPart(view, event.turn);
    part.text += event.text;
    return part.key;
  },
  turn_reset(view, event) {
    const key = textKey(event.turn);
    view.parts = view.parts.filter((part) => part.key !== key);
    return key;
  },
  tool_request(view, event) {
    const state = event.requiresConfirmation ? 'waiting' : 'planned';
    const part = toolPart(view, event.callId);
    // Asked again: the same call, now for a person.
    if (part) part.state = state;
    else view.parts.push(newToolPart(event, state));
    return event.callId;
  },
  confirmation(view, event) {
    const part = toolPart(view, event.callId);
    if (!part) return null;
    part.approved = event.decision === 'approved';
    part.state = part.approved ? 'approved' : 'declined';
    if (event.decision === 'expired') part.note = 'Nobody decided in time.';
    return part.key;
  },
  tool_started(view, event) {
    const part = toolPart(view, event.callId);
    if (part) part.state = 'running';
    return part?.key ?? null;
  },
  tool_progress(view, event) {
    const part = toolPart(view, event.callId);
    if (part) part.note = event.message ?? `${event.progress} of ${event.total ?? '?'}`;
    return part?.key ?? null;
  },
  input_requested: askQuestion,
  tool_result(view, event) {
    dropQuestions(view, event.callId);
    const part = toolPart(view, event.callId);
    if (!part) return null;
    part.state = event.outcome;
    part.result = event.content;
    part.artifact = event.artifact ?? null;
    part.note = event.outcome === 'declined' ? part.note : (event.code ?? null);
    return part.key;
  },
  // The log could not go on from where this reader was: what is not there yet comes from the store.
  snapshot(view, event) {
    for (const confirmation of event.confirmations) {
      if (!toolPart(view, confirmation.callId))
        view.parts.push(newToolPart(confirmation, 'waiting'));
    }
    for (const input of event.inputs) askQuestion(view, input);
    retellText(view, event);
    return null;
  },
  complete(view, event) {
    const { state, notice } = completedAs(event.finishReason);
    return endRun(view, { state, notice: event.refusal ?? notice });
  },
  error: (view, event) => endRun(view, { state: 'error', notice: event.message }),
  cancelled: (view) => endRun(view, { state: 'cancelled', notice: 'Stopped.' }),
};

/**
 * Brings a view up to date; says which part changed, `null` when it is the whole.
 * @param {RunView} view
 * @param {RunEvent} event
 * @returns {string | null | undefined} `undefined` when nothing that shows did
 */
export function applyEvent(view, event) {
  const change = /** @type {((view: RunView, event: RunEvent) => string | null) | undefined} */ (
    changes[event.type]
  );
  return change?.(view, event);
}

import type { ErrorCode } from '../errors/error-codes.ts';
import type { ConversationMessage } from '../events/conversation-message.ts';
import type { AssistantMessage, ContentPart } from '../events/message.ts';
import type {
  ArtifactReference,
  CompleteReason,
  Effect,
  PendingInput,
  RunEvent,
  RunStatus,
  ToolOutcome,
  Usage,
} from '../events/run-event.ts';
import type { Json, JsonObject } from '../internal/json.ts';

/** Who owns stored objects. Everything is invisible to everyone else. */
export interface Owner {
  readonly tenantId: string;
  readonly userId: string;
}

/** What a run was asked to do: answer a message, or make one tool call. */
export type RunInput =
  | { readonly kind: 'message'; readonly content: string | readonly ContentPart[] }
  | { readonly kind: 'call'; readonly tool: string; readonly args: Json };

/** How much of a conversation an owner is given: its newest messages, without those of the run itself. */
export interface HistoryWindow {
  readonly messages: number;
  /** Bytes of their contents and turns as JSON. The first message that does not fit ends the window. */
  readonly bytes: number;
}

/** Who claims a run, for how long, and what it wants to know of the conversation. */
export interface ClaimRequest {
  readonly owner: string;
  readonly ttlMs: number;
  readonly history: HistoryWindow;
}

/** A run to be created. */
export interface NewRun extends Owner {
  readonly runId: string;
  readonly conversationId: string;
  /** Roles and the like, for a later owner: the principal as it was given. */
  readonly principal: JsonObject;
  readonly input: RunInput;
  /** Options of the run that a later owner needs. */
  readonly options: JsonObject;
  readonly requestId: string | null;
  /** Digest of the canonical body; compared when `requestId` was used before. */
  readonly requestDigest: string | null;
  /**
   * Milliseconds the run may take, by the store's clock: from when it comes first in its conversation, without the time
   * in which it waits for a person.
   */
  readonly deadlineMs: number;
  readonly onBusy: 'refuse' | 'queue' | 'supersede';
  /** How many may queue behind the active run. */
  readonly queueLimit: number;
  /** Claims the run in the same transaction, where it does not have to queue, and appends `events` under epoch 1. */
  readonly claim: ClaimRequest & { readonly events: readonly RunEvent[] };
}

/** Runs that should now be given to an engine. `segment` counts up with every pause and queueing. */
export interface Wake {
  readonly runId: string;
  readonly segment: number;
}

/** A right to write to a run: stale once somebody else claimed it. */
export interface Fence {
  readonly runId: string;
  readonly epoch: number;
}

/** What came of `create`. */
export type CreateOutcome =
  /** Created and claimed: this process owns it. `wake` names a superseded run that has to end. */
  | (Omit<Claim, 'takeovers'> & { readonly kind: 'claimed'; readonly wake: readonly Wake[] })
  /** Created, and waits behind another run of the conversation. */
  | { readonly kind: 'queued'; readonly run: RunRecord; readonly wake: readonly Wake[] }
  /** The same request was made before: this is its run. */
  | { readonly kind: 'existing'; readonly run: RunRecord }
  | { readonly kind: 'request_conflict' | 'conversation_busy' | 'queue_full' };

/** One finished model turn, as it was committed before any of its tools started. */
export interface CommittedTurn {
  /** Counts from 1. */
  readonly turn: number;
  readonly message: AssistantMessage;
  readonly finishReason: string | null;
  readonly responseId: string | null;
  readonly usage: Usage | null;
}

/** A tool call as planned by `commitTurn`, before policy has let it start. */
export interface PlannedCall {
  readonly callId: string;
  readonly turn: number;
  readonly index: number;
  /** The provider's id, to answer the model. */
  readonly modelCallId: string;
  readonly tool: string;
  readonly args: Json;
  readonly argsDigest: string;
  readonly definitionHash: string;
  readonly effect: Effect;
  /** `confirm`: a person must approve. Otherwise the reason why none is needed: `waived:<rule>` or `grant:<id>`. */
  readonly authorization: 'confirm' | `waived:${string}` | `grant:${string}`;
}

/** The states of a call in the ledger. */
export type CallStatus = 'planned' | 'waiting' | 'started' | ToolOutcome;

/** A result as it is stored and given to the model. */
export interface CallResult {
  readonly outcome: ToolOutcome;
  readonly content: string;
  readonly code?: ErrorCode;
  readonly artifact?: ArtifactReference;
}

/** The states of a confirmation. `consumed`: the call that it allowed was started. */
export type ConfirmationStatus = 'pending' | 'approved' | 'declined' | 'expired' | 'consumed';

/** A confirmation asked from a person. One per call. */
export interface ConfirmationRecord {
  readonly callId: string;
  readonly argsDigest: string;
  readonly definitionHash: string;
  readonly status: ConfirmationStatus;
  /** Unix milliseconds by the store's clock: to be decided before this while pending, to be used before this once approved. */
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
}

/** A call in the execution ledger. */
export interface CallRecord extends PlannedCall {
  readonly status: CallStatus;
  /** How often it was started. */
  readonly starts: number;
  /** What let it start: `confirmed:<who>`, `grant:<id>` or `waived:<rule>`; `null` before. */
  readonly startedBy: string | null;
  readonly result: CallResult | null;
  readonly confirmation: ConfirmationRecord | null;
}

/** A question to the person (elicitation) and its answer. Times are the store's. */
export interface InputRecord extends PendingInput {
  readonly askedAt: number;
  readonly answer: Json | null;
  /** `null` while nobody answered. */
  readonly answeredAt: number | null;
}

/** A text given while the run was under way. */
export interface SteerRecord {
  readonly steerId: string;
  readonly text: string;
  /** The turn whose prompt has it; `null` while not applied. */
  readonly turn: number | null;
}

/** How a run ended. */
export interface RunEnd {
  readonly status: 'succeeded' | 'partial' | 'failed' | 'cancelled';
  readonly text: string;
  readonly refusal?: string;
  readonly output?: Json;
  readonly finishReason: CompleteReason | null;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryable: boolean;
  } | null;
}

/** The beginning of an answer that is not committed. */
export interface PartialText {
  readonly turn: number;
  readonly text: string;
  /** The cursor of the last event that `text` has: what follows goes on from there. */
  readonly cursor: string;
  /** The provider's id of the answer, where it is made in the background and can be read by another owner. */
  readonly responseId?: string;
}

/** A run with all that a new owner needs to go on. A copy: changing it changes nothing in the store. */
export interface RunRecord extends Owner {
  readonly runId: string;
  /** Random per created run: part of every key in a hot log. */
  readonly incarnation: string;
  readonly conversationId: string;
  readonly principal: JsonObject;
  readonly input: RunInput;
  readonly options: JsonObject;
  readonly requestId: string | null;
  readonly status: RunStatus;
  readonly epoch: number;
  readonly segment: number;
  readonly cancelRequested: boolean;
  readonly createdAt: number;
  /** Unix milliseconds by the store's clock. */
  readonly deadlineAt: number;
  readonly turns: readonly CommittedTurn[];
  readonly calls: readonly CallRecord[];
  readonly inputs: readonly InputRecord[];
  readonly steers: readonly SteerRecord[];
  /** What was said of the turn that is open, as last saved. */
  readonly partial: PartialText | null;
  readonly usage: Usage;
  /** Durable events so far; the next one gets this number + 1. */
  readonly eventCount: number;
  /** The cursor of the newest durable event, `null` before the first. */
  readonly lastCursor: string | null;
  readonly end: RunEnd | null;
}

/** A claimed run: `run.epoch` is the fence. */
export interface Claim {
  readonly run: RunRecord;
  /**
   * How often owners were lost since the run last got on: a turn committed, a call started for the first time or
   * finished, a pause. What a crashing run does again and again (`append`, a restart) does not count. See `crash_loop`.
   */
  readonly takeovers: number;
  /** Unix milliseconds by the store's clock at the claim: the owner's own clock may be wrong. */
  readonly now: number;
  /** The conversation before the run, oldest first, as much as was asked for. */
  readonly history: readonly ConversationMessage[];
}

/** What `renew` says of a lease: missing from the answer means lost. */
export interface Renewal {
  readonly runId: string;
  readonly cancelRequested: boolean;
  /** How many steers the run has: the owner loads them when this grew. */
  readonly steerCount: number;
  /** How many inputs were answered. */
  readonly answerCount: number;
}

/** What `startCall` says. Only `go` allows the effect. */
export type StartOutcome =
  | { readonly kind: 'go'; readonly attempt: number }
  /** It ended before: this is its result. */
  | { readonly kind: 'ended'; readonly result: CallResult }
  /** A `write` was started before and its outcome is not known: the call is now `unknown`. */
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'tool_changed'
        | 'args_mismatch'
        | 'confirmation_required'
        | 'confirmation_expired'
        | 'not_found';
    };

/** A person's decision about a call. */
export interface Decision extends Owner {
  readonly runId: string;
  readonly callId: string;
  readonly approve: boolean;
  readonly argsDigest: string;
  /** Milliseconds from approval within which the call has to start. */
  readonly useWithinMs: number;
}

/** What came of a decision. */
export type DecideOutcome =
  | {
      readonly kind: 'decided';
      readonly status: 'approved' | 'declined';
      readonly wake: readonly Wake[];
    }
  | {
      readonly kind: 'refused';
      readonly code: 'not_found' | 'already_decided' | 'confirmation_expired' | 'args_mismatch';
      readonly wake: readonly Wake[];
    };

/** The little that a reader polls. */
export interface RunHead {
  readonly runId: string;
  readonly status: RunStatus;
  readonly epoch: number;
  readonly eventCount: number;
}

/** A run event with its gapless number in the durable log. */
export interface StoredEvent {
  readonly n: number;
  readonly event: RunEvent;
}

/**
 * The durable truth of runs. Each verb is one transaction and also writes the message, usage, audit and queue rows that it
 * implies. Verbs that take a {@link Fence} throw `StewardError('fenced')` unless the run is `running` or `cancelling`
 * under that epoch; `events` are appended in the same transaction. Time is the store's, never the caller's.
 * Conformance: `testRunStore`.
 */
export interface RunStore {
  /**
   * Creates a run, or finds the one of the same request, or says why not. The user's message is written when the run
   * comes first in its conversation, so that it follows the answers of the runs ahead.
   */
  create(run: NewRun): Promise<CreateOutcome>;
  /**
   * Takes a run that is queued at the head of its conversation (or anywhere in it, once cancelled), or whose lease ran out,
   * under a new epoch.
   * `null` when there is nothing to take: unknown, ended, waiting, owned, or behind another run.
   */
  claim(runId: string, request: ClaimRequest): Promise<Claim | null>;
  /** Prolongs leases; the answer lacks those that are lost. */
  renew(fences: readonly Fence[], ttlMs: number): Promise<readonly Renewal[]>;
  /** Gives a run back for another owner at once: `queued` again. For an orderly shutdown. */
  release(fence: Fence): Promise<readonly Wake[]>;
  /** The run, if it belongs to the owner; any run for `null` (the engine's own use). */
  load(runId: string, owner: Owner | null): Promise<RunRecord | null>;
  /** The heads of runs, for readers; unknown ids are missing from the answer. */
  heads(runIds: readonly string[]): Promise<readonly RunHead[]>;
  /** The durable events numbered above `after`, in order, at most `limit`. */
  events(runId: string, after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** Appends durable events that no other verb writes. */
  append(fence: Fence, events: readonly RunEvent[]): Promise<void>;
  /** Saves the text of the open turn, replacing what was saved. */
  savePartial(fence: Fence, partial: PartialText): Promise<void>;
  /** Commits a model turn and plans its calls, before any of them starts. Clears the partial text. Idempotent per turn. */
  commitTurn(
    fence: Fence,
    turn: CommittedTurn,
    calls: readonly PlannedCall[],
    events: readonly RunEvent[],
  ): Promise<void>;
  /**
   * The only door to a side effect. Refuses a changed definition, changed arguments, a missing, expired or used
   * confirmation; a second start of a `write` makes the call `unknown`. Consumes the confirmation.
   * `events` are appended only with `go`; `decidedBy` for the audit comes from the stored decision.
   */
  startCall(
    fence: Fence,
    call: { readonly callId: string; readonly argsDigest: string; readonly definitionHash: string },
    events: readonly RunEvent[],
  ): Promise<StartOutcome>;
  /** Stores how a call ended. Keeps the first result if there is one and says so with `false`. */
  finishCall(
    fence: Fence,
    callId: string,
    result: CallResult,
    events: readonly RunEvent[],
  ): Promise<boolean>;
  /**
   * Asks for confirmations (calls planned with `confirm` and not yet asked) and releases the run as `waiting`, in one
   * transaction. `go_on` when, under the run's lock, no confirmation is pending: nothing was changed but the asking.
   */
  pause(
    fence: Fence,
    ask: readonly { readonly callId: string; readonly decideWithinMs: number }[],
    events: readonly RunEvent[],
  ): Promise<'paused' | 'go_on'>;
  /** Decides a confirmation, once. The run is queued again with its last decision. */
  decide(decision: Decision): Promise<DecideOutcome>;
  /** Records that a server asks the person something. */
  requestInput(fence: Fence, input: PendingInput, events: readonly RunEvent[]): Promise<void>;
  /** Answers it, once. */
  answerInput(
    runId: string,
    owner: Owner,
    requestId: string,
    answer: Json,
  ): Promise<'answered' | 'not_found' | 'already_decided'>;
  /** Adds a text for the next turn; `not_waiting` when the run has ended, or is a `call` and takes no turns. */
  steer(
    runId: string,
    owner: Owner,
    steer: { readonly steerId: string; readonly text: string },
  ): Promise<'ok' | 'not_found' | 'not_waiting'>;
  /** Marks steers as given to the model in `turn`. */
  applySteers(
    fence: Fence,
    steerIds: readonly string[],
    turn: number,
    events: readonly RunEvent[],
  ): Promise<void>;
  /** Asks a run to end. A run that nobody owns is woken so that somebody ends it. `false`: not found. Harmless when ended. */
  requestCancel(
    runId: string,
    owner: Owner,
  ): Promise<{ readonly found: boolean; readonly wake: readonly Wake[] }>;
  /**
   * Ends the run: its state, the assistant's message, its usage; frees the conversation and wakes the next in its queue.
   * `steered`, and nothing is written: it would have `succeeded` with a text that no turn was given, so it takes another.
   */
  finish(
    fence: Fence,
    end: RunEnd,
    message: Pick<ConversationMessage, 'content' | 'turns'> | null,
    events: readonly RunEvent[],
  ): Promise<readonly Wake[] | 'steered'>;
  /**
   * What time does: runs whose lease ran out (as a new segment), runs queued for longer than `queuedForMs` (both are
   * returned to be enqueued), queued ones past their deadline, confirmations that expired, waiting runs with nothing pending.
   */
  sweep(limits: { readonly queuedForMs: number; readonly limit: number }): Promise<readonly Wake[]>;
}

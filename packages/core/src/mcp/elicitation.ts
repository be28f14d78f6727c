import type {
  ElicitRequest,
  ElicitResult,
  ElicitRequestFormParams as FormParams,
  InputRequiredResult,
  InputResponses,
} from '@modelcontextprotocol/client';
import { StewardError } from '../errors/steward-error.ts';
import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import type { McpCall } from './mcp-client.ts';

/** How often one call may come back with questions. */
const MAX_ROUNDS = 10;

/** What a call is sent again with, after the person answered. */
export interface Answers {
  readonly inputResponses?: InputResponses;
  readonly requestState?: string;
}

/**
 * The person's answer to a question of a server: an object fills in the form, `null` declines, anything else says that the
 * page was visited. Nobody there: the question is cancelled.
 */
export async function askPerson(
  call: McpCall,
  params: ElicitRequest['params'],
): Promise<ElicitResult> {
  const question =
    params.mode === 'url'
      ? { message: params.message, url: params.url }
      : { message: params.message, schema: params.requestedSchema as unknown as JsonObject };
  const answer = await call.context.requestInput(question).catch(() => undefined);
  if (answer === undefined) return { action: 'cancel' };
  if (answer === null) return { action: 'decline' };
  if (params.mode === 'url') return { action: 'accept' };
  const content = { ...defaultsOf(params.requestedSchema), ...(isRecord(answer) ? answer : {}) };
  return { action: 'accept', content: content as NonNullable<ElicitResult['content']> };
}

/** What the server proposes for fields that the person left out. */
function defaultsOf({ properties }: FormParams['requestedSchema']): JsonObject {
  const fields = Object.entries(properties) as [string, { readonly default?: Json }][];
  return Object.fromEntries(
    fields.flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
  );
}

/**
 * Sends a call until the server needs no more input (2026-07-28: it answers with its questions, and the call is sent again
 * with the answers). Done here and not by the client library, which cannot tell whose question it is when calls overlap.
 */
export async function callWithInput<R extends object>(
  call: McpCall,
  send: (answers: Answers) => Promise<R | InputRequiredResult>,
): Promise<R> {
  let answers: Answers = {};
  for (let round = 0; round <= MAX_ROUNDS; round += 1) {
    const result = await send(answers);
    if (!asks(result)) return result;
    const { inputRequests = {}, requestState } = result;
    const inputResponses: InputResponses = {};
    for (const [key, request] of Object.entries(inputRequests)) {
      if (request.method !== 'elicitation/create') {
        throw new StewardError(
          'mcp_failed',
          `The server asks for ${request.method}, which Steward does not do.`,
        );
      }
      inputResponses[key] = await askPerson(call, request.params);
    }
    answers = { inputResponses, ...(requestState === undefined ? {} : { requestState }) };
  }
  throw new StewardError(
    'mcp_failed',
    `The server asked ${MAX_ROUNDS} times and still does not answer.`,
  );
}

const asks = (result: object): result is InputRequiredResult =>
  'resultType' in result && result.resultType === 'input_required';

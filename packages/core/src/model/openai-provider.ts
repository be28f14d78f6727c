// Loaded with the first request of an `openaiModel`.
import type { EventQueue, EventSource } from './event-queue.ts';
import type { ModelRequest } from './model-client.ts';
import { ChatReader } from './openai-chat.ts';
import { chatRequests } from './openai-chat-request.ts';
import { connectOpenAI, type OpenAIClientOptions } from './openai-client.ts';
import { ResponsesReader } from './openai-responses.ts';
import { responsesRequests } from './openai-responses-request.ts';
import { OpenAITurn, type TurnSink } from './openai-turn.ts';
import type { RequestSettings } from './request-settings.ts';

/** What an `openaiModel` was set to. */
export interface ProviderSettings extends RequestSettings {
  readonly api: 'responses' | 'chat';
  readonly client: OpenAIClientOptions;
}

/** One API of one provider: how its requests are written, sent and read. */
export interface OpenAIProvider {
  /** A turn whose events go to the queue. */
  open(queue: EventQueue, request: ModelRequest, signal: AbortSignal): EventSource;
  /** As `open`, of an answer that was begun in the background: all of it, as the readers of this turn know nothing yet. */
  resume(queue: EventQueue, responseId: string, signal: AbortSignal): EventSource;
  /** Ends an answer in the background. */
  cancel(responseId: string): Promise<void>;
}

/** How long a provider may take to end an answer that nobody waits for. */
const cancelMs = 5_000;

/** Makes the provider. Nothing is sent before a turn is started. */
export function openaiProvider({ api, client, ...settings }: ProviderSettings): OpenAIProvider {
  const isChat = api === 'chat';
  const connection = connectOpenAI(client, isChat ? '/chat/completions' : '/responses');
  const write = isChat ? chatRequests(settings) : responsesRequests(settings);
  const makeReader = (sink: TurnSink) =>
    isChat ? new ChatReader(sink) : new ResponsesReader(sink);
  const pathOf = (responseId: string) => `/responses/${encodeURIComponent(responseId)}`;
  return {
    open: (queue, request, signal) =>
      new OpenAITurn({
        queue,
        signal,
        makeReader,
        send: async (own) => connection.post(write(request), own),
      }),
    resume: (queue, responseId, signal) => {
      const request = { method: 'get', path: pathOf(responseId), query: { stream: true } } as const;
      return new OpenAITurn({
        queue,
        signal,
        makeReader,
        send: (own) => connection.send(request, own.signal()),
      });
    },
    cancel: async (responseId) => {
      const request = { method: 'post', path: `${pathOf(responseId)}/cancel` } as const;
      const response = await connection.send(request, AbortSignal.timeout(cancelMs));
      response.discard();
    },
  };
}

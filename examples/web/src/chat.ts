import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Assistant, AssistantOptions, Tool } from '@steward/core';
import { loadAssets } from './assets.ts';
import { createAssistant } from './chat-assistant.ts';
import { checkOrigin } from './guard.ts';
import { sendError, setSecurityHeaders } from './http.ts';
import type { ModelChoice } from './model-choice.ts';
import { Outbox } from './outbox.ts';
import { handle, type RouteContext } from './routes.ts';
import { openSampleFolder } from './sample-folder.ts';

/** What a chat is started with. */
export interface ChatOptions {
  readonly choice: ModelChoice;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether the assistant gets the sample files and the server for them; `true` by default. */
  readonly files?: boolean;
  /** Tools besides those of the page. */
  readonly tools?: readonly Tool[];
  readonly heartbeatMs?: number;
  readonly limits?: AssistantOptions['limits'];
}

// Who ends the server does not want to wait for an answer.
const drainMs = 1_000;

/** A running chat. */
export interface Chat {
  readonly url: string;
  readonly assistant: Assistant;
  readonly outbox: Outbox;
  /** Ends the streams, the assistant with its tool servers, and the sample folder. */
  close(): Promise<void>;
}

/** Assembles the chat and listens on 127.0.0.1. Rejects with what listening failed with. */
export async function startChat(options: ChatOptions): Promise<Chat> {
  // First of all the port: where it is taken, nothing else was begun.
  const { server, port } = await listen(options.port);
  const outbox = new Outbox();
  const folder = options.files === false ? undefined : await openSampleFolder();
  const { limits, choice, tools = [], heartbeatMs = 15_000 } = options;
  const { model } = choice;
  const assistant = createAssistant({ model, outbox, folder: folder?.path, tools, limits });
  const closing = new AbortController();
  const assets = loadAssets();
  const shared = { assistant, outbox, choice, assets, heartbeatMs, closing: closing.signal };
  answerRequests(server, port, shared);

  const close = async () => {
    closing.abort();
    const closed = once(server, 'close');
    server.close();
    await assistant.close({ drainMs });
    server.closeAllConnections();
    await closed;
    await folder?.remove();
  };
  return { url: `http://127.0.0.1:${port}`, assistant, outbox, close };
}

async function listen(wanted: number): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

function answerRequests(server: Server, port: number, context: RouteContext): void {
  server.on('request', (request, response) => {
    if (context.closing.aborted) {
      // Any answer would end a reader's attempts to reconnect; a lost connection does not.
      request.socket.destroy();
      return;
    }
    setSecurityHeaders(response);
    const answer = async () => {
      checkOrigin(request, port);
      await handle(context, request, response);
    };
    answer().catch((reason: unknown) => sendError(request, response, reason));
  });
}

// ai: the guides "Tool Execution Approval" and "Message Persistence". Approvals are signed, messages are saved when an
// answer ends, and each tab is the SDK's own chat, which sends its messages to the documented route.
import { createOpenAI } from '@ai-sdk/openai';
import {
  AbstractChat,
  convertToModelMessages,
  createUIMessageStreamResponse,
  DefaultChatTransport,
  isStepCount,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  streamText,
  tool,
  toUIMessageStream,
  validateUIMessages,
} from 'ai';
import { z } from 'zod';
import { model, prompt, sendInvoice } from '../../approve-once/tool.mjs';

/** The state that a user interface would bind to. */
class TabState {
  status = 'ready';
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => {
    this.messages = [...this.messages, message];
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = this.messages.with(index, message);
  };
  snapshot = (thing) => structuredClone(thing);
}

class Tab extends AbstractChat {}

function makeServer(baseURL) {
  const { name, description, schema, execute } = sendInvoice(z);
  const tools = { [name]: tool({ description, inputSchema: schema, execute }) };
  const provider = createOpenAI({ baseURL, apiKey: 'x' });
  const saved = new Map();
  const load = (id) => JSON.parse(saved.get(id) ?? '[]');
  async function post(request) {
    const { id, messages: received } = await request.json();
    const messages = await validateUIMessages({ messages: received, tools });
    const result = streamText({
      model: provider.chat(model),
      messages: await convertToModelMessages(messages),
      tools,
      toolApproval: { [name]: 'user-approval' },
      experimental_toolApprovalSecret: 'a secret of at least thirty-two bytes',
      stopWhen: isStepCount(5),
      maxRetries: 0,
    });
    return createUIMessageStreamResponse({
      stream: toUIMessageStream({
        stream: result.stream,
        originalMessages: messages,
        onEnd: ({ messages: all }) => saved.set(id, JSON.stringify(all)),
      }),
    });
  }
  return { load, post };
}

function openTab({ load, post }) {
  const done = Promise.withResolvers();
  const tab = new Tab({
    id: 'invoices',
    state: new TabState(load('invoices')),
    transport: new DefaultChatTransport({
      api: 'http://127.0.0.1/api/chat',
      fetch: (url, init) => post(new Request(url, init)),
    }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    onError: done.reject,
    onFinish: ({ isError }) => !isError && done.resolve(),
  });
  return { tab, done: done.promise };
}

async function ask({ baseURL }) {
  const server = makeServer(baseURL);
  const first = openTab(server);
  await first.tab.sendMessage({ text: prompt });
  await first.done;
  // All three are open while the question is: two are pressed now, one is left open and pressed later.
  const tabs = [1, 2, 3].map(() => openTab(server));
  return async () => {
    const { tab, done } = tabs.pop();
    const part = tab.messages.at(-1).parts.find(({ state }) => state === 'approval-requested');
    await tab.addToolApprovalResponse({ id: part.approval.id, approved: true });
    return done;
  };
}

export const ways = { 'as its guide': ask };

import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  type CallToolResult,
  createRequestStateCodec,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

type Handler = (context: ServerContext) => Promise<CallToolResult | InputRequiredResult>;
type Requests = NonNullable<Parameters<typeof inputRequired>[0]['inputRequests']>;

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** State that only we can have made: the suite changes it, and wants that to be found out. */
export const requestStates = createRequestStateCodec<string>({ key: randomBytes(32) });

const name = z.object({ name: z.string() });
const ok = z.object({ ok: z.boolean() });
const elicit = (message: string, requestedSchema: z.ZodObject) =>
  inputRequired.elicit({ message, requestedSchema });
const sample = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  });

/** Answered with what it needs until everything that it needs is there. */
async function needs(requests: Requests, { mcpReq }: ServerContext, state?: string) {
  const isMissing = (key: string) => inputResponse(mcpReq.inputResponses, key).kind === 'missing';
  if (!Object.keys(requests).some(isMissing)) return null;
  return inputRequired({
    inputRequests: requests,
    ...(state === undefined ? {} : { requestState: await requestStates.mint(state) }),
  });
}

/** The questions of revision 2026-07-28, in the forms that the suite wants. */
export function addQuestions(server: McpServer): void {
  const add = (suffix: string, handler: Handler) =>
    server.registerTool(`test_input_required_result_${suffix}`, { description: suffix }, handler);
  add('elicitation', async (context) => {
    const answer = acceptedContent(context.mcpReq.inputResponses, 'user_name', name);
    if (answer !== undefined) return text(`Hello, ${answer.name}!`);
    return inputRequired({ inputRequests: { user_name: elicit('What is your name?', name) } });
  });
  add(
    'sampling',
    async (context) =>
      (await needs({ capital_question: sample('What is the capital of France?', 100) }, context)) ??
      text(JSON.stringify(context.mcpReq.inputResponses)),
  );
  add(
    'list_roots',
    async (context) =>
      (await needs({ client_roots: inputRequired.listRoots() }, context)) ??
      text(JSON.stringify(context.mcpReq.inputResponses)),
  );
  for (const suffix of ['request_state', 'tampered_state']) {
    add(
      suffix,
      async (context) =>
        (await needs({ confirm: elicit('Please confirm', ok) }, context, 'one')) ??
        text('state-ok'),
    );
  }
  add('multiple_inputs', async (context) => {
    const all = {
      user_name: elicit('What is your name?', name),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    };
    return (await needs(all, context, 'all')) ?? text('all there');
  });
  add('multi_round', async (context) => {
    const state = context.mcpReq.requestState<string>();
    const color = z.object({ color: z.string() });
    const first = { step1: elicit('Step 1: What is your name?', name) };
    const second = { step2: elicit('Step 2: What is your favorite color?', color) };
    const missing =
      state === undefined
        ? await needs(first, context, 'first')
        : await needs(second, context, 'second');
    return missing ?? text('done');
  });
  add('capabilities', async (context) => {
    const { elicitation, sampling } = server.server.getClientCapabilities() ?? {};
    const wanted: Requests = {
      ...(elicitation ? { user_name: elicit('What is your name?', name) } : {}),
      ...(sampling ? { greeting: sample('Generate a greeting', 50) } : {}),
    };
    return (await needs(wanted, context)) ?? text('nothing to ask');
  });
  server.registerTool('test_missing_capability', { description: 'Needs a model' }, () =>
    inputRequired({ inputRequests: { greeting: sample('Generate a greeting', 50) } }),
  );
  server.registerTool('test_streaming_elicitation', { description: 'Asks' }, () =>
    inputRequired({ inputRequests: { user_name: elicit('What is your name?', name) } }),
  );
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks' },
    async (context) => {
      const schema = z.object({ context: z.string() });
      const asked = { user_context: elicit('What context should the prompt use?', schema) };
      const missing = await needs(asked, context);
      if (missing !== null) return missing;
      const said = JSON.stringify(context.mcpReq.inputResponses);
      return { messages: [{ role: 'user', content: { type: 'text', text: said } }] };
    },
  );
}

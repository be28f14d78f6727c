/**
 * The program that the conformance suite of MCP starts for each of its client scenarios, with the address of a server as
 * the last argument. It does what any host does with an assistant; `npm run conformance` runs it.
 */
import { Assistant } from '../../src/assistant.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import type { ClientAuth, UserAuth } from '../../src/mcp/server-auth.ts';
import type { Run } from '../../src/run/run.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

const SERVER = 'suite';
const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const given = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
  readonly signing_algorithm?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: JsonObject }[];
};

type Call = readonly [tool: string, args: JsonObject];

/** The calls that a scenario waits for, where it does not bring them. */
const calls: Record<string, readonly Call[]> = {
  tools_call: [['add_numbers', { a: 5, b: 3 }]],
  'elicitation-sep1034-client-defaults': [['test_client_elicitation_defaults', {}]],
  'sse-retry': [['test_reconnection', {}]],
  'sep-2322-client-request-state': [
    ['test_mrtr_echo_state', {}],
    ['test_mrtr_unrelated', {}],
    ['test_mrtr_no_state', {}],
    ['test_mrtr_no_result_type', {}],
  ],
  'http-standard-headers': [
    ['test_headers', {}],
    ['my-hyphenated-tool', {}],
  ],
  'http-invalid-tool-headers': [['valid_tool', { region: 'eu' }]],
  'json-schema-ref-no-deref': [['lookup_user', {}]],
};

function wantedCalls(): readonly Call[] {
  if (scenario.startsWith('auth/')) return [['test-tool', {}]];
  if (given.toolCalls) return given.toolCalls.map((call) => [call.name, call.arguments] as const);
  return calls[scenario] ?? [];
}

function authOf(): UserAuth | ClientAuth | undefined {
  if (!scenario.startsWith('auth/')) return undefined;
  const clientId = given.client_id ?? '';
  if (scenario === 'auth/client-credentials-basic') {
    return { grant: 'client_credentials', clientId, clientSecret: given.client_secret ?? '' };
  }
  if (scenario === 'auth/client-credentials-jwt') {
    return {
      grant: 'client_credentials',
      clientId,
      privateKey: given.private_key_pem ?? '',
      algorithm: given.signing_algorithm ?? 'ES256',
    };
  }
  return {
    grant: 'authorization_code',
    redirectUrl: 'http://localhost:3000/callback',
    ...(scenario === 'auth/pre-registration'
      ? { clientId, clientSecret: given.client_secret ?? '' }
      : { clientMetadataUrl: 'https://conformance-test.local/client-metadata.json' }),
  };
}

/** The browser of a user who agrees to everything. */
async function visit(page: string): Promise<void> {
  const response = await fetch(page, { redirect: 'manual' });
  const came = response.headers.get('location');
  if (came === null) throw new Error(`no way back from ${page}: ${response.status}`);
  await assistant.finishSignIn(came);
}

/** A user who visits every page and leaves every form as it is proposed. */
async function attend(run: Pick<Run, 'answer'>, event: RunEvent): Promise<void> {
  if (event.type !== 'input_requested') return;
  if (event.url !== undefined) await visit(event.url);
  await run.answer(event.requestId, {});
}

const auth = authOf();
const wanted = wantedCalls();
// Before a `write` the server would be listed anew when a second has passed: the suite counts the requests.
const effects = Object.fromEntries(wanted.map(([tool]) => [tool, 'read' as const]));
await using assistant = new Assistant({
  model: scriptedModel([{ text: 'Hello.' }]),
  mcp: { [SERVER]: { url, effects, ...(auth === undefined ? {} : { auth }) } },
});
const page = auth === undefined ? null : await assistant.signIn(SERVER);
if (page !== null) await visit(page);
// The first run connects and lists.
await assistant.run('Hello').result();
process.stdout.write(`${JSON.stringify(assistant.servers(), null, 2)}\n`);

async function call([tool, args]: Call): Promise<void> {
  const run = assistant.call(`${SERVER}__${tool}`, args);
  for await (const event of run) {
    process.stdout.write(`${JSON.stringify(event)}\n`);
    await attend(run, event);
  }
}
await Promise.all(wanted.map(call));

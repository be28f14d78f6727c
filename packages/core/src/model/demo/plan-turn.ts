import type { Json } from '../../internal/json.ts';
import type { ModelRequest, ToolDefinition } from '../model-client.ts';
import { kindOf } from './argument-kinds.ts';
import { type AnsweredCall, type Earlier, type Exchange, readExchange } from './conversation.ts';
import { extractArguments } from './extract-arguments.ts';
import { explanation, overview } from './overview.ts';
import { type Property, propertiesOf } from './properties.ts';
import { describeCalls, outcomeOf } from './result-markdown.ts';
import { instanceOf } from './schema-instance.ts';
import { type ReadStep, readStep, type Step, stepsOf } from './steps.ts';
import { shortName } from './words.ts';

/** What the demo model says in one turn. */
export interface DemoTurn {
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly args: Json }[];
}

/** Calls after which an answer is due, whatever is left to do. */
const maxCalls = 20;

/** Decides by rule what to answer to a request: calls, a question, or text. */
export function planTurn(request: ModelRequest): DemoTurn {
  const exchange = readExchange(request.messages);
  const tools = request.toolChoice === 'none' ? [] : request.tools;
  const next = exchange.calls.length < maxCalls ? nextStep(exchange, tools, request) : undefined;
  if (next && next.calls.length > 0)
    return { text: request.output ? '' : `${announce(next)}\n\n`, toolCalls: callsOf(next) };
  if (request.output) return { text: structured(request, exchange), toolCalls: [] };
  const found = exchange.calls.length > 0 ? [describeCalls(exchange.calls)] : [];
  const question = next ? [askFor(next)] : [];
  const text = [...found, ...question].join('\n\n') || smallTalk(exchange.text, request.tools);
  return { text, toolCalls: [] };
}

/** The first step of the message that is not done; several independent ones are done in order. */
function nextStep(
  exchange: Exchange,
  tools: readonly ToolDefinition[],
  { toolChoice }: ModelRequest,
): ReadStep | undefined {
  const last = exchange.calls.at(-1);
  if (last && outcomeOf(last) !== 'succeeded') return undefined;
  let done = exchange.calls.length;
  for (const step of stepsFor(exchange, tools)) {
    const read = readStep(step, last && { tool: last.tool, content: last.content });
    if (done === 0 || read.missing.length > 0) return read;
    done -= Math.min(done, read.calls.length);
  }
  if (exchange.calls.length > 0) return undefined;
  return repeated(exchange, tools) ?? forced(exchange.text, tools, toolChoice);
}

function stepsFor({ text, before }: Exchange, tools: readonly ToolDefinition[]): Step[] {
  const steps = stepsOf(text, tools);
  const asked = before && /^To use `([^`]+)` I still need/m.exec(before.answer)?.[1];
  const tool = tools.find(({ name }) => name === asked);
  // An answer to a question of ours, unless it asks for something else.
  if (!tool || !before || (steps[0] && steps[0].tool !== tool)) return steps;
  return [{ tool, text: answered(before, text, tool), dependent: false }];
}

/** The request that we asked back about, with the answer put where it was missing. */
function answered(before: Earlier, reply: string, tool: ToolDefinition): string {
  const earlier =
    before.before && /^To use `/m.test(before.before.answer)
      ? answered(before.before, before.text, tool)
      : before.text;
  const missing = [...before.answer.matchAll(/^- \*\*([^*]+)\*\*/gm)].map(([, name]) => name ?? '');
  const property = propertiesOf(tool.parameters).find(({ name }) => name === missing[0]);
  const bare = reply.trim().replace(/^"|"$/g, '').replaceAll('"', "'");
  const whole =
    missing.length === 1 && property && ['text', 'topic', 'place'].includes(kindOf(property, tool));
  return whole
    ? `${earlier}, ${property.name}: "${bare}"`
    : `${earlier}, ${missing.length === 1 ? `${missing[0]}: ` : ''}${reply}`;
}

/** "And in Rome?", "again": the last call once more, with what is new. */
function repeated(
  { text, before }: Exchange,
  tools: readonly ToolDefinition[],
): ReadStep | undefined {
  const last = before?.calls.at(-1);
  const tool = tools.find(({ name }) => name === last?.tool);
  const again =
    /^\s*(?:(?:and|now|also|or|what about|how about|(?:the )?same|(?:do it |once )?again|(?:try|do) (?:it|that) again)\b)/i;
  if (!last || !tool || !again.test(text) || text.length > 120) return undefined;
  const { args } = extractArguments(tool, text.replace(again, ''));
  const isNew = Object.keys(args).length > 0 || /\bagain\b/i.test(text);
  return isNew ? { tool, missing: [], calls: [{ ...last.args, ...args }] } : undefined;
}

/** What `toolChoice` demands, with made-up arguments where the message has none. */
function forced(
  text: string,
  tools: readonly ToolDefinition[],
  choice: ModelRequest['toolChoice'],
): ReadStep | undefined {
  const wanted =
    typeof choice === 'object' ? tools.find(({ name }) => name === choice.name) : undefined;
  const tool = wanted ?? (choice === 'required' ? tools[0] : undefined);
  if (!tool) return undefined;
  const known = extractArguments(tool, text).args;
  const args = instanceOf(tool.parameters, { root: tool.parameters, known, text });
  return { tool, missing: [], calls: [{ ...(args as Record<string, Json>), ...known }] };
}

function callsOf({ tool, calls }: ReadStep): DemoTurn['toolCalls'] {
  return calls.map((args) => ({ name: tool.name, args: { ...args } }));
}

function announce({ tool, calls }: ReadStep): string {
  return calls.length > 1
    ? `I will call \`${shortName(tool.name)}\` ${calls.length} times.`
    : `I will use \`${shortName(tool.name)}\` for that.`;
}

function askFor({ tool, missing }: ReadStep): string {
  const lines = missing.map(({ name, schema }: Property) => {
    const description = schema['description'];
    return `- **${name}**${typeof description === 'string' ? `: ${description}` : ''}`;
  });
  return `To use \`${tool.name}\` I still need:\n\n${lines.join('\n')}\n\nTell me, and I will go on.`;
}

function structured({ output }: ModelRequest, { text, calls }: Exchange): string {
  if (!output) return '';
  const asTool = { name: output.name, description: '', parameters: output.schema };
  const said = [text, ...calls.map(({ content }: AnsweredCall) => content.slice(0, 500))].join(
    '\n',
  );
  const { args } = extractArguments(asTool, text);
  return JSON.stringify(
    instanceOf(output.schema, { root: output.schema, known: args, text: said.trim() }),
  );
}

function smallTalk(text: string, tools: readonly ToolDefinition[]): string {
  if (/^\s*(?:thanks|thank you|great|perfect|nice)\b/i.test(text))
    return "You're welcome. What shall we try next?";
  if (
    /\b(?:what can (?:you|i)|help|(?:which|what|your) tools|who are you|what are you)\b/i.test(text)
  )
    return overview('Gladly.', tools);
  if (/^\s*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b/i.test(text) || text.trim() === '')
    return overview('Hello!', tools);
  const asksMuch =
    /\b(?:explain|tell me|how|why|what|write|story|essay|poem|describe|long)\b/i.test(text);
  if (asksMuch) return explanation('That needs a real model; I only know a few rules.', tools);
  return overview('I have no rule for that.', tools);
}

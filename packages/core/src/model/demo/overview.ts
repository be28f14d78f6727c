import type { ToolDefinition } from '../model-client.ts';
import { type ArgumentKind, byTellingness } from './argument-kinds.ts';
import { extractArguments } from './extract-arguments.ts';
import { matchTools } from './match-tool.ts';
import { type Property, plainly, propertiesOf } from './properties.ts';
import { shortName, wordsOf } from './words.ts';

const shownTools = 8;
/** An example is tried against all tools, so not for hundreds of them. */
const triedTools = 16;

/** The host's own tools come first, and what can be tried without a file that may not be there. */
function rank({ tool, example }: Row): number {
  if (example === undefined) return 9;
  const needsFile = /\.(?:md|png)\b/.test(example) && !/^(?:write|create)/i.test(example);
  return serverRank(tool) + (needsFile ? 1 : 0);
}

function serverRank({ name }: ToolDefinition): number {
  return name.includes('__') ? 2 : 0;
}

interface Row {
  readonly tool: ToolDefinition;
  readonly example: string | undefined;
}

/** Who answers here, and what can be tried with these tools. */
export function overview(opening: string, tools: readonly ToolDefinition[]): string {
  const who =
    `${opening} I am Steward's **demo model**: a few rules, not a language model. I stream, call tools and wait for ` +
    'approval like a real one, so that everything here can be tried without a key.';
  const current = tools.filter(({ description }) => !/\bdeprecated\b/i.test(description));
  const candidates = current.toSorted((a, b) => serverRank(a) - serverRank(b));
  const rows = candidates
    .slice(0, triedTools)
    .map((tool) => ({ tool, example: exampleFor(tool, tools) }));
  rows.sort((a, b) => rank(a) - rank(b));
  if (rows.length === 0) {
    return `${who}\n\nThere are no tools in this conversation. Give the assistant some, and I will call them:\n\n${toolSample}`;
  }
  const lines = rows
    .slice(0, shownTools)
    .map(({ tool, example }) => `| \`${tool.name}\` | ${summaryOf(tool)} | ${example ?? ''} |`);
  const rest = current.length - lines.length;
  return (
    `${who}\n\nHere is what you can ask for:\n\n| Tool | What it does | Try |\n|---|---|---|\n${lines.join('\n')}` +
    `${rest > 0 ? `\n\n... and ${rest} more, such as ${names(rows.slice(shownTools).map(({ tool }) => tool))}.` : ''}`
  );
}

/** A long answer about how an answer comes about: something to watch, stop and reload. */
export function explanation(opening: string, tools: readonly ToolDefinition[]): string {
  const offered =
    tools.length > 0
      ? `Right now I am offered ${tools.length} tools, such as ${names(tools)}.`
      : 'Right now I am offered no tools.';
  return `${opening} What I can tell you is how an answer such as this one comes to your screen.

## One run, one log

Your message started a **run**. Everything that happens in it is an event, written in order by exactly one owner:

1. **The prompt** is built from the instructions, the conversation and the tools that may help.
2. **The model** answers piece by piece; each piece is a \`token\` event, the one that you are reading now.
3. **Tools** that it asks for are checked, confirmed where they change something, and started at most once.
4. **The end** is one last event: \`complete\`, \`error\` or \`cancelled\`.

You may *leave* in the middle and come back: the reader only holds a cursor, and the run goes on without it. You may also *stop* it, which is something else, and reaches the model and the tools.

## What a tool looks like

${toolSample}

${offered} Ask "what can you do?" to see what to try.`;
}

const toolSample = [
  '```ts',
  'tool({',
  "  name: 'send_email',",
  "  description: 'Send an e-mail',",
  '  parameters: z.object({ to: z.email(), subject: z.string(), body: z.string() }),',
  "  effect: 'write', // asks before it acts",
  '  execute: (mail, { idempotencyKey }) => mailer.send({ ...mail, idempotencyKey }),',
  '});',
  '```',
].join('\n');

const samples: Readonly<
  Record<ArgumentKind, (property: Property, tool: ToolDefinition) => string>
> = {
  enum: ({ schema }) => plainly((schema['enum'] as readonly unknown[] | undefined)?.[0]),
  boolean: () => '',
  number: ({ name }) => `${wordsOf(name).join(' ')} 3`,
  array: ({ name }) => (/path|file/i.test(name) ? 'notes.md, todo.md' : '"one"'),
  object: () => '',
  email: () => 'to ada@example.com',
  url: () => 'https://example.com/',
  path: samplePath,
  date: () => '2030-01-01',
  calculation: () => '(2 + 3) * 4',
  place: () => 'in Paris',
  topic: () => 'for "hello"',
  title: ({ name }) => `${wordsOf(name).join(' ')} "Greetings"`,
  text: ({ name }) => `${wordsOf(name).join(' ')} "Hello"`,
};

function samplePath({ name }: Property, tool: ToolDefinition): string {
  if (/dest|target/i.test(name)) return 'to notes/new.md';
  if (/media|image|photo/i.test(tool.name)) return 'photo.png';
  return /director|folder/i.test(tool.name) ? 'reports' : 'notes.md';
}

/** A message that makes the demo model call the tool; `undefined` where its rules find none. */
export function exampleFor(
  tool: ToolDefinition,
  tools: readonly ToolDefinition[],
): string | undefined {
  const verb = wordsOf(shortName(tool.name)).join(' ');
  const required = byTellingness(
    propertiesOf(tool.parameters).filter((p) => p.required),
    tool,
  );
  const looks = /list|tree|browse/i.test(tool.name);
  // Nobody can guess an id.
  if (required.some(({ property }) => wordsOf(property.name).at(-1) === 'id')) return undefined;
  const parts = required.map(({ property, kind }) =>
    kind === 'path' && looks ? '' : samples[kind](property, tool),
  );
  const phrase = [verb, ...parts].filter(Boolean).join(' ');
  const works =
    matchTools(phrase, tools)[0]?.tool === tool &&
    extractArguments(tool, phrase).missing.length === 0;
  return works ? `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}` : undefined;
}

function summaryOf({ description }: ToolDefinition): string {
  const first = description.split(/(?<=[.!?])\s|\n/)[0] ?? '';
  const short = first.length > 90 ? `${first.slice(0, 87)}...` : first;
  return short.replaceAll('|', '\\|');
}

function names(tools: readonly ToolDefinition[]): string {
  return tools
    .slice(0, 3)
    .map(({ name }) => `\`${name}\``)
    .join(', ');
}

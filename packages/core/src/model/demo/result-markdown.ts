import { isRecord } from '../../internal/json.ts';
import type { AnsweredCall } from './conversation.ts';
import { plainly } from './properties.ts';
import { shortName } from './words.ts';

const most = { rows: 10, columns: 5, lines: 24, items: 15 };

/** How a call went, as its answer tells. */
export type Outcome = 'succeeded' | 'declined' | 'failed' | 'unknown';

/** Reads from the words of a tool's answer how the call went. */
export function outcomeOf({ content }: AnsweredCall): Outcome {
  const start = content.slice(0, 300);
  if (/^not run: (?:the user declined|nobody approved)|^(?:declined|denied)\b/i.test(start))
    return 'declined';
  if (/^the call was started, but nobody can say/i.test(start)) return 'unknown';
  if (
    /^(?:not run:|the tool failed|the tool ran and may|error\b|\w*error:|failed\b|access denied)/i.test(
      start,
    )
  )
    return 'failed';
  const value = asJson(content);
  return isRecord(value) && (value['isError'] === true || (value['error'] ?? null) !== null)
    ? 'failed'
    : 'succeeded';
}

/** The answer to the user about calls that were made. */
export function describeCalls(calls: readonly AnsweredCall[]): string {
  if (calls.length === 1) return calls.map(describe).join('');
  const failed = calls.filter((call) => outcomeOf(call) !== 'succeeded').length;
  const head = `I made ${calls.length} calls${failed > 0 ? `, ${failed} of them without success` : ''}.`;
  return [
    head,
    ...calls.map(
      (call) => `### \`${shortName(call.tool)}\`${argumentsOf(call)}\n\n${describe(call)}`,
    ),
  ].join('\n\n');
}

function describe(call: AnsweredCall): string {
  const { content } = call;
  const tool = shortName(call.tool);
  switch (outcomeOf(call)) {
    case 'declined':
      return `I did not run \`${tool}\`, because the call was not approved. Nothing was changed. Tell me if you want it done differently.`;
    case 'unknown':
      return `I started \`${tool}\`, but **nobody can say whether it took effect**. I did not repeat it; please check before you ask for it again.`;
    case 'failed':
      return `\`${tool}\` did not succeed:\n\n> ${oneLine(content, 300)}\n\nYou can change the request and try again.`;
    case 'succeeded':
      return success(tool, content.trim());
  }
}

function success(tool: string, content: string): string {
  const value = unwrapped(asJson(content)) ?? content;
  if (value === '' || /^done\b.*no result/i.test(plainly(value)))
    return `Done: \`${tool}\` ran and gave no result.`;
  if (typeof value === 'string') return text(tool, value);
  if (Array.isArray(value)) return list(tool, value);
  if (isRecord(value)) return `Here is what \`${tool}\` answered:\n\n${members(value)}`;
  return `\`${tool}\` answered **${plainly(value)}**.`;
}

function text(tool: string, value: string): string {
  const lines = value.split(/\r?\n/);
  if (lines.length === 1 && value.length <= 240) return `\`${tool}\` answered: ${value}`;
  const entries = lines.map((line) => /^\[(\w+)\]\s+(.+)$/.exec(line));
  if (entries.every((entry) => entry !== null)) {
    const rows = entries.map((entry) => ({
      kind: entry[1]?.toLowerCase(),
      name: `\`${entry[2]}\``,
    }));
    return `I found ${counted(rows.length, 'entry', 'entries')}:\n\n${table(rows)}`;
  }
  const shown = lines.slice(0, most.lines).join('\n');
  const rest = lines.length - most.lines;
  const words = value.split(/\s+/).filter(Boolean).length;
  const fence = '`'.repeat(
    Math.max(3, ...[...value.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)),
  );
  return (
    `\`${tool}\` answered ${counted(lines.length, 'line', 'lines')} (${counted(words, 'word', 'words')}):\n\n` +
    `${fence}text\n${shown}\n${fence}${rest > 0 ? `\n\n... and ${counted(rest, 'more line', 'more lines')}.` : ''}`
  );
}

function list(tool: string, items: readonly unknown[]): string {
  const head = `\`${tool}\` found ${counted(items.length, 'item', 'items')}`;
  if (items.length === 0) return `${head}.`;
  if (items.every(isRecord)) return `${head}:\n\n${table(items)}`;
  const shown = items.slice(0, most.items).map((item) => `- ${cell(item)}`);
  return `${head}:\n\n${shown.join('\n')}${more(items.length - shown.length)}`;
}

function members(value: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(value);
  const lines = entries.slice(0, most.items).map(([name, member]) => {
    if (Array.isArray(member) && member.length > 0 && member.every(isRecord))
      return `- **${name}**:\n\n${table(member)}\n`;
    return `- **${name}**: ${cell(member)}`;
  });
  return `${lines.join('\n')}${more(entries.length - lines.length)}`;
}

function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, most.columns);
  const shown = rows.slice(0, most.rows);
  const lines = [
    columns,
    columns.map(() => '---'),
    ...shown.map((row) => columns.map((column) => cell(row[column]))),
  ];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}${more(rows.length - shown.length)}`;
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const short = oneLine(plainly(value), 120).replaceAll('|', '\\|');
  return typeof value === 'object' ? `\`${short}\`` : short;
}

function more(count: number): string {
  return count > 0 ? `\n\n... and ${count} more.` : '';
}

function argumentsOf({ args }: AnsweredCall): string {
  const values = Object.values(args).filter((value) => typeof value !== 'object');
  return values.length > 0 ? ` ${oneLine(values.join(', '), 60)}` : '';
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}

function oneLine(value: string, length: number): string {
  const line = value.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 3)}...` : line;
}

function asJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/** MCP servers wrap their text, and many wrap a single member. */
function unwrapped(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const [only, ...others] = Object.keys(value);
  if (only === undefined || others.length > 0) return value;
  const inner = value[only];
  return ['content', 'result', 'results', 'items', 'data', 'text'].includes(only) ? inner : value;
}

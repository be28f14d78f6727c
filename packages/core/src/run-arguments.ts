import { StewardError } from './errors/steward-error.ts';
import { isRecord, type Json, type JsonObject } from './internal/json.ts';
import { cleanText, parseStorable } from './internal/storable.ts';
import type { AttachOptions, CallOptions, RunInputContent, RunOptions } from './options.ts';
import type { RunRequest } from './run/new-run.ts';
import type { StoredRunOptions } from './run/run-settings.ts';
import type { Principal } from './tools/tool.ts';
import { readSchema } from './tools/tool-schema.ts';

type Verb = 'run' | 'call' | 'attach';
const principalOptions = ['userId', 'tenantId', 'roles'] satisfies (keyof Principal)[];
const callOptions = [
  ...principalOptions,
  'conversationId',
  'requestId',
  'onBusy',
  'timeoutMs',
] satisfies (keyof CallOptions)[];
const runOptions = [
  ...callOptions,
  'instructions',
  'toolChoice',
  'maxTurns',
  'maxOutputTokens',
  'tokenBudget',
  'output',
  'extra',
] satisfies (keyof RunOptions)[];
const known: Readonly<Record<Verb, readonly string[]>> = {
  run: runOptions,
  call: callOptions,
  attach: [...principalOptions, 'after'],
};

const maxIdLength = 200;
const maxRoles = 200;
const partTypes: readonly unknown[] = ['text', 'image', 'file'];
const details: readonly unknown[] = [undefined, 'auto', 'low', 'high'];
const toolChoices: readonly unknown[] = [undefined, 'auto', 'required', 'none'];
const busyChoices: readonly unknown[] = [undefined, 'refuse', 'queue', 'supersede'];

/** Checks what `run` was given. Throws a `TypeError` naming the field, or `invalid_argument` for what is too large. */
export function readRunRequest(
  content: RunInputContent,
  options: RunOptions,
  maxInputBytes: number,
): RunRequest {
  const common = readCommon(options, 'run');
  return {
    ...common,
    input: { kind: 'message', content: readContent(content, maxInputBytes) },
    options: readJson(storedOptions(options), 'run: options', maxInputBytes) as StoredRunOptions,
  };
}

/** Checks what `call` was given. */
export function readCallRequest(
  tool: string,
  args: Json,
  options: CallOptions,
  maxInputBytes: number,
): RunRequest {
  return {
    ...readCommon(options, 'call'),
    input: {
      kind: 'call',
      tool: readText(tool, 'call: tool', maxInputBytes),
      args: readJson(args, 'call: args', maxInputBytes),
    },
    options: {},
  };
}

/** Checks what `attach` was given. */
export function readAttachOptions(options: AttachOptions) {
  checkNames(options, 'attach');
  const { after } = options;
  must(after === undefined || typeof after === 'string', 'attach: after', 'the cursor of an event');
  return { principal: readPrincipal(options, 'attach'), after };
}

/** The principal of a verb, with its defaults. */
export function readPrincipal(principal: Partial<Principal>, verb: string): Principal {
  must(isRecord(principal), `${verb}: the principal`, 'an object');
  const { userId = 'local', tenantId = 'default', roles = [] } = principal;
  checkId(userId, `${verb}: userId`);
  checkId(tenantId, `${verb}: tenantId`);
  must(
    Array.isArray(roles) && roles.length <= maxRoles,
    `${verb}: roles`,
    `an array of at most ${maxRoles} strings`,
  );
  for (const [index, role] of roles.entries()) checkId(role, `${verb}: roles[${index}]`);
  return { userId, tenantId, roles };
}

/** A value as the JSON it will be stored as: what no store takes (NUL, halves of surrogate pairs) is taken out. */
export function readJson(value: unknown, field: string, maxBytes: number): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`${field} must be JSON`, { cause });
  }
  if (text === undefined) throw new TypeError(`${field} must be JSON`);
  checkSize(text, maxBytes);
  try {
    return parseStorable(text) as Json;
  } catch (cause) {
    throw new StewardError('invalid_argument', `${field}: ${(cause as Error).message}`, { field });
  }
}

/** A text that is not empty, as it will be stored. */
export function readText(value: unknown, field: string, maxBytes: number): string {
  if (typeof value !== 'string') throw new TypeError(`${field} must be a text`);
  checkSize(value, maxBytes);
  const text = cleanText(value);
  must(text !== '', field, 'a text that is not empty');
  return text;
}

/** An id of the host or of Steward. */
export function checkId(value: unknown, field: string): void {
  must(
    typeof value === 'string' && value !== '' && value.length <= maxIdLength,
    field,
    `a text of 1 to ${maxIdLength} characters`,
  );
  must((value as string).isWellFormed() && !/\p{Cc}/u.test(value as string), field, 'plain text');
}

function readCommon(options: RunOptions, verb: Verb): Omit<RunRequest, 'input' | 'options'> {
  checkNames(options, verb);
  const { conversationId, requestId, onBusy, timeoutMs } = options;
  if (conversationId !== undefined) checkId(conversationId, `${verb}: conversationId`);
  if (requestId !== undefined) checkId(requestId, `${verb}: requestId`);
  must(busyChoices.includes(onBusy), `${verb}: onBusy`, "'refuse', 'queue' or 'supersede'");
  checkCount(timeoutMs, `${verb}: timeoutMs`);
  return {
    principal: readPrincipal(options, verb),
    conversationId,
    requestId,
    onBusy,
    timeoutMs,
  };
}

function checkNames(options: object, verb: Verb): void {
  must(isRecord(options), `${verb}: options`, 'an object');
  const unknown = Object.keys(options).find((name) => !known[verb].includes(name));
  if (unknown) throw new TypeError(`${verb}: ${unknown} is not an option`);
}

function storedOptions(options: RunOptions): StoredRunOptions {
  const { instructions, toolChoice, maxTurns, maxOutputTokens, tokenBudget, output, extra } =
    options;
  must(
    instructions === undefined || typeof instructions === 'string',
    'run: instructions',
    'a text',
  );
  must(isToolChoice(toolChoice), 'run: toolChoice', "'auto', 'required', 'none' or { name }");
  checkCount(maxTurns, 'run: maxTurns');
  checkCount(maxOutputTokens, 'run: maxOutputTokens');
  checkCount(tokenBudget, 'run: tokenBudget');
  must(extra === undefined || isRecord(extra), 'run: extra', 'an object');
  return {
    ...(instructions !== undefined && { instructions }),
    ...(toolChoice !== undefined && { toolChoice }),
    ...(maxTurns !== undefined && { maxTurns }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(tokenBudget !== undefined && { tokenBudget }),
    ...(output !== undefined && { output: { name: 'answer', schema: outputSchema(output) } }),
    ...(extra !== undefined && { extra }),
  };
}

function isToolChoice(choice: unknown): boolean {
  return toolChoices.includes(choice) || (isRecord(choice) && typeof choice['name'] === 'string');
}

function outputSchema(output: RunOptions['output']): JsonObject {
  try {
    return readSchema(output).jsonSchema;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`run: output ${reason}`, { cause });
  }
}

function readContent(content: unknown, maxBytes: number): RunInputContent {
  if (typeof content === 'string') return readText(content, 'run: input', maxBytes);
  checkParts(content);
  return readJson(content, 'run: input', maxBytes) as unknown as RunInputContent;
}

function checkParts(content: unknown): void {
  must(Array.isArray(content) && content.length > 0, 'run: input', 'a text or a list of parts');
  for (const [index, part] of (content as readonly unknown[]).entries()) {
    const field = `run: input[${index}]`;
    must(isRecord(part) && partTypes.includes(part['type']), `${field}.type`, partTypes.join(', '));
    checkPart(part as Record<string, unknown>, field);
  }
}

function checkPart(part: Record<string, unknown>, field: string): void {
  const isGiven = (name: string) => typeof part[name] === 'string' && part[name] !== '';
  if (part['type'] === 'text') must(typeof part['text'] === 'string', `${field}.text`, 'a text');
  if (part['type'] === 'image') {
    must(isGiven('url'), `${field}.url`, 'a URL');
    must(details.includes(part['detail']), `${field}.detail`, "'auto', 'low' or 'high'");
  }
  if (part['type'] === 'file') {
    must(isGiven('data') || isGiven('fileId'), field, 'a file with data or fileId');
  }
}

function checkSize(text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return;
  throw new StewardError(
    'invalid_argument',
    `The input has ${bytes} bytes; at most ${maxBytes} are taken (limits.maxInputBytes).`,
    { field: 'input' },
  );
}

function checkCount(value: unknown, field: string): void {
  must(
    value === undefined || (Number.isSafeInteger(value) && (value as number) > 0),
    field,
    'a positive integer',
  );
}

function must(holds: boolean, field: string, rule: string): void {
  if (!holds) throw new TypeError(`${field} must be ${rule}`);
}

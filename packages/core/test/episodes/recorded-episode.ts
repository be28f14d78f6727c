import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/internal/json.ts';
import type { expectedTurn, RecordedCase } from '../model/expected-turn.ts';

/** A message or item as it went over the wire. */
export interface WireItem extends JsonObject {
  readonly type?: string;
  readonly role?: string;
  readonly content?: Json;
  readonly tool_call_id?: string;
  readonly call_id?: string | null;
  readonly output?: string;
  /** Of an item that tells of tools. */
  readonly tools?: readonly WireTool[];
}

/** A tool as it went over the wire: a function, flat or nested, or one of the provider's. */
export interface WireTool extends JsonObject {
  readonly type: string;
  readonly function?: WireTool;
  readonly name?: string;
  readonly description?: string | null;
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  readonly defer_loading?: boolean;
}

/** A request as it went over the wire; of everything that is not named here only the equality counts. */
export interface WireRequest extends JsonObject {
  readonly messages?: readonly WireItem[];
  readonly input?: readonly WireItem[];
  readonly instructions?: string;
  readonly tools?: readonly WireTool[];
  readonly tool_choice?: 'auto' | 'required';
  readonly model?: string;
}

/** One recorded exchange of an episode. */
export interface RecordedStep extends RecordedCase {
  readonly url_path: string;
  readonly request: WireRequest;
  readonly request_elided_strings: number;
  /** What was computed of the answer without any SDK. */
  readonly oracle: Parameters<typeof expectedTurn>[1];
  readonly body: Buffer;
}

/** A whole recorded tool loop; `steps[0]` is the file `01`. */
export interface RecordedEpisode {
  readonly steps: readonly RecordedStep[];
  /** What each tool answered, by the provider's id of the call. */
  readonly results: ReadonlyMap<string, string>;
}

/** Reads an episode. */
export function readEpisode(folder: string): RecordedEpisode {
  const json = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const names = readdirSync(folder).filter((file) => /^\d+\.json$/.test(file));
  const steps = names.sort().map((file): RecordedStep => {
    const step = json(file) as RecordedStep;
    const oracle = json(file.replace('.json', '.expected.json')) as RecordedStep['oracle'];
    return { ...step, oracle, body: readFileSync(join(folder, step.body_file)) };
  });
  return { steps, results: new Map(steps.flatMap(({ request }) => toolResults(request))) };
}

function toolResults({ messages = [], input = [] }: WireRequest): [string, string][] {
  const answered = messages.filter(({ role }) => role === 'tool');
  const returned = input.filter(({ type }) => type === 'function_call_output');
  return [
    ...answered.map((said): [string, string] => [said.tool_call_id ?? '', messageText(said)]),
    ...returned.map((item): [string, string] => [item.call_id ?? '', item.output ?? '']),
  ];
}

/** The output items of a recorded answer of the Responses API, streamed or whole. */
export function outputItems({ body, stream, api }: RecordedStep): readonly WireItem[] {
  if (api === 'chat') return [];
  const answer = stream ? completedResponse(body.toString()) : JSON.parse(body.toString());
  return answer.output;
}

function completedResponse(events: string): { readonly output: readonly WireItem[] } {
  for (const line of events.split(/\r?\n/)) {
    if (!line.startsWith('data: {')) continue;
    const event = JSON.parse(line.slice('data: '.length));
    if (event.type === 'response.completed') return event.response;
  }
  throw new Error('The recorded stream holds no completed response.');
}

/** The text of a recorded message: of its parts, where it has any. */
export function messageText({ content }: WireItem): string {
  if (typeof content === 'string') return content;
  const parts = Array.isArray(content) ? (content as readonly { readonly text?: string }[]) : [];
  return parts.map(({ text }) => text ?? '').join('');
}

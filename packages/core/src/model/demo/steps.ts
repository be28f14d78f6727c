import type { Json } from '../../internal/json.ts';
import type { ToolDefinition } from '../model-client.ts';
import { type EarlierResult, extractArguments } from './extract-arguments.ts';
import { matchTools } from './match-tool.ts';
import type { Property } from './properties.ts';
import { spansOf, withoutSpans } from './spans.ts';
import { isStopWord, likeness, stem, wordsOf } from './words.ts';

/** One thing that a message asks for. */
export interface Step {
  readonly tool: ToolDefinition;
  readonly text: string;
  /** It speaks of what an earlier step finds: "... and send it to Ada". */
  readonly dependent: boolean;
}

/** A step with its arguments: calls to make, or what is missing for them. */
export interface ReadStep {
  readonly tool: ToolDefinition;
  readonly calls: readonly Readonly<Record<string, Json>>[];
  readonly missing: readonly Property[];
}

/** What a message asks for, in order; empty if no tool fits. */
export function stepsOf(text: string, tools: readonly ToolDefinition[]): Step[] {
  const steps: Step[] = [];
  let open = '';
  for (const clause of clausesOf(text)) {
    const current = open && matchTools(open, tools)[0]?.tool;
    if (current && startsAnew(clause, tools)) {
      steps.push(step(open, current, steps.length));
      open = clause;
    } else {
      open += clause;
    }
  }
  const last = matchTools(open, tools)[0]?.tool;
  if (last) steps.push(step(open, last, steps.length));
  return steps;
}

/** Reads the arguments of a step. */
export function readStep(
  { tool, text, dependent }: Step,
  earlier: EarlierResult | undefined,
): ReadStep {
  const { args, missing, more } = extractArguments(tool, text, dependent ? earlier : undefined);
  return { tool, missing, calls: missing.length > 0 ? [] : [args, ...more] };
}

function step(text: string, tool: ToolDefinition, index: number): Step {
  const refers =
    /\b(?:it|its|that|this|them|those|these|the (?:results?|contents?|summary|answer|list))\b/i.test(
      text,
    );
  return {
    tool,
    text: text.trim().replace(/^(?:and|then|also|,|;|\.|\s)+/i, ''),
    dependent: index > 0 && refers,
  };
}

/** Requests of one message that are told apart; what follows belongs to the last. */
const mostClauses = 10;

/** The message cut where another request may begin; nothing is lost. */
function clausesOf(text: string): string[] {
  const masked = withoutSpans(text, spansOf(text), '\0');
  const cuts = [...masked.matchAll(/,?\s+(?:and then|then|and)\s+|[;.!?]\s+/giu)].map(
    ({ index }) => index,
  );
  return [0, ...cuts.slice(0, mostClauses)].map((cut, i, all) => text.slice(cut, all[i + 1]));
}

/** Whether a clause begins with the verb of a tool, and so is a request of its own. */
function startsAnew(clause: string, tools: readonly ToolDefinition[]): boolean {
  const tool = matchTools(clause, tools)[0]?.tool;
  const verb = wordsOf(clause).find((word) => !isStopWord(word));
  const names = wordsOf(tool?.name ?? '').map(stem);
  return verb !== undefined && names.some((name) => likeness(stem(verb), name) > 0);
}

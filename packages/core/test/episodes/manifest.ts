import type { Message } from '../../src/events/message.ts';
import type { JsonObject } from '../../src/internal/json.ts';

/** What sets an episode apart from one run that streams, has one agent and only its own tools. */
export type SpecialCase =
  | 'json answers'
  | 'several runs'
  | 'nested run'
  | 'handoff'
  | 'tools by step'
  | 'tool choice by step'
  | 'injected messages'
  | 'first call only'
  | 'tool error'
  | 'ends in a tool call'
  | 'previous_response_id'
  | 'hosted tools'
  | 'reasoning'
  | 'elided strings'
  | 'provider path';

/** What the recorded framework put in, took out or worded otherwise between two turns; given to `prepareTurn`. */
type ChangeMessages = (messages: readonly Message[]) => readonly Message[];

/** One run of ours, and the recorded requests that it has to make. */
export interface RunPlan {
  /** Numbers of the recorded requests, from 1. */
  readonly steps: readonly number[];
  /** Goes on with the conversation of the run before it. */
  readonly continues?: boolean;
  readonly messages?: ChangeMessages;
  /** Tools whose work is a run of their own. */
  readonly agents?: Readonly<Record<string, RunPlan>>;
  /** What a tool throws, by its name; the others return what was recorded. */
  readonly throws?: Readonly<Record<string, string>>;
  /** The framework ran one call of each turn. */
  readonly firstCallOnly?: boolean;
}

/** How an episode is played. */
export interface EpisodePlan {
  readonly name: string;
  readonly runs: readonly RunPlan[];
  /** Each special case, and what is done about it. */
  readonly special: Partial<Record<SpecialCase, string>>;
  readonly ignored?: readonly ('strict' | 'order of tools')[];
  /** Fields of what the provider said that the framework had changed before it sent them back, by the item's type. */
  readonly rewritten?: Readonly<Record<string, readonly string[]>>;
  /** Types of what the provider said that the framework did not send back. */
  readonly dropped?: readonly string[];
}

const nudge: Message = {
  role: 'user',
  content:
    'Analyze the tool result. If requirements are met, provide the Final Answer. Otherwise, call the next tool. ' +
    'Deliver only the answer without meta-commentary.',
};

/** After each tool result the framework asks the model to look at it. */
const nudged: ChangeMessages = (messages) =>
  messages.flatMap((message): readonly Message[] =>
    message.role === 'tool' ? [message, nudge] : [message],
  );

/** The framework forgets every call of a turn but the first. */
const firstCalls: ChangeMessages = (messages) => {
  const kept = messages.map((message) =>
    message.role === 'assistant' && message.toolCalls
      ? { ...message, toolCalls: message.toolCalls.slice(0, 1) }
      : message,
  );
  const ids = kept.flatMap((message) =>
    message.role === 'assistant' ? (message.toolCalls ?? []).map(({ id }) => id) : [],
  );
  return kept.filter((message) => message.role !== 'tool' || ids.includes(message.toolCallId));
};

/** The framework has its own words for a tool that threw `Error`. */
const ownErrorWords: ChangeMessages = (messages) =>
  messages.map((message) =>
    message.role === 'tool' && message.content === 'The tool failed. Error'
      ? { ...message, content: 'Error executing tool: Error' }
      : message,
  );

/** The next model call is made without anything new from the user. */
const withoutNewMessage: ChangeMessages = (messages) => messages.slice(0, -1);

const refundTools: JsonObject = {
  role: 'developer',
  type: 'additional_tools',
  tools: [
    {
      type: 'function',
      name: 'lookup_refund_policy',
      description: 'Look up the refund policy for an order.',
      parameters: {
        type: 'object',
        properties: { order_id: { type: 'string' } },
        required: ['order_id'],
        additionalProperties: false,
      },
      strict: true,
    },
  ],
};

/** An item of the Responses API that Steward has no message for goes in as `verbatim`. */
const withRefundTools: ChangeMessages = (messages) =>
  messages.flatMap((message): readonly Message[] =>
    message.role === 'tool' && message.name === 'load_capability'
      ? [
          message,
          { role: 'assistant', content: '', verbatim: { api: 'responses', items: [refundTools] } },
        ]
      : [message],
  );

const weatherSystem: Message = {
  role: 'system',
  content: 'You are a weather expert. Use available tools to provide detailed weather information.',
};

const json = 'whole JSON bodies answer our streaming requests, and are read as one turn each';

/** All recorded episodes. */
export const episodes: readonly EpisodePlan[] = [
  {
    name: 'ep01-chat-sse-2-agent-run-stream-with-tools',
    runs: [{ steps: [1, 2] }],
    special: {},
  },
  {
    name: 'ep02-chat-json-8-tool-search-eval-openai-chat',
    runs: [{ steps: [1, 2, 3] }, { steps: [4, 5, 6] }, { steps: [7] }, { steps: [8] }],
    special: {
      'json answers': json,
      'several runs': 'four questions, each in its own conversation',
      'tools by step': 'a search tool finds tools, which are told from the next turn on',
    },
  },
  {
    name: 'ep03-chat-json-3-crewai-instrumentation',
    runs: [{ steps: [1, 2], messages: nudged }, { steps: [3] }],
    special: {
      'json answers': json,
      'several runs':
        'two agents, one after the other; the second gets the answer of the first in its question',
      'injected messages': 'a user message after the tool result',
    },
  },
  {
    name: 'ep04-chat-sse-2-agent-arun-streaming-with-tools',
    runs: [{ steps: [1, 2] }],
    special: {},
  },
  {
    name: 'ep05-responses-json-2-openai-responses-thinking-with-tool-calls',
    runs: [{ steps: [1, 2] }],
    special: {
      'json answers': json,
      reasoning:
        'a reasoning item with its encrypted content goes back, 9,572 characters unchanged',
      'elided strings': 'the recording has the first 64 of them, and how many followed',
    },
  },
  {
    name: 'ep07-chat-json-3-azure-agent-kickoff-structured-output-with-tools',
    runs: [{ steps: [1, 2] }, { steps: [3], continues: true, messages: withoutNewMessage }],
    special: {
      'json answers': json,
      'several runs':
        'after the answer the model is asked again in the same conversation, with nothing new said',
      'provider path':
        'Azure: the deployment in the path, `api-version` behind it, no model in the body',
    },
  },
  {
    name: 'ep08-responses-json-2-chat-tool-choice-and-calls-control-openai-gpt-5-nano-respe',
    runs: [{ steps: [1, 2] }],
    special: {
      'json answers': json,
      'tool choice by step': '`required` in the first turn, nothing in the second',
      reasoning: 'an encrypted reasoning item goes back with `store: false`',
      'elided strings': 'the recording has its first 64 characters, and how many followed',
    },
  },
  {
    name: 'ep10-responses-json-4-openai-native-tool-search-with-deferred-capability',
    runs: [{ steps: [1, 2, 3, 4], messages: withRefundTools }],
    special: {
      'json answers': json,
      'hosted tools':
        'tool search runs at the provider; its items go back as they came, and a deferred tool is ours',
      'injected messages':
        'an `additional_tools` item after a tool result tells of a tool that `tools` does not hold',
      reasoning: 'an encrypted reasoning item goes back',
    },
    // A tool that is written by the host, here for `defer_loading`, stands before those that Steward writes.
    ignored: ['order of tools'],
    rewritten: {
      tool_search_call: ['arguments'],
      tool_search_output: ['tools'],
      function_call: ['namespace'],
    },
  },
  {
    name: 'ep11-responses-sse-3-music-composer-handoff-hierarchy',
    runs: [{ steps: [1, 2, 3] }],
    special: {
      handoff:
        'from the second turn on another agent: other instructions, other tools, the same conversation',
      'tools by step': 'those of the agent whose turn it is',
    },
  },
  {
    name: 'ep14-chat-json-6-max-usage-count-is-respected',
    runs: [
      {
        steps: [1, 2, 3, 4, 5, 6],
        firstCallOnly: true,
        messages: (messages) => nudged(firstCalls(messages)),
      },
    ],
    special: {
      'json answers': json,
      'injected messages': 'a user message after each tool result',
      'first call only':
        'the model made several calls in its first turn; one is run, the others are forgotten',
    },
  },
  {
    name: 'ep15-chat-sse-3-complex-agent-run-in-flow',
    runs: [{ steps: [1, 2, 3] }],
    special: {
      'ends in a tool call': '`final_result` is the answer; the run ends with `max_turns`',
    },
    // Some of its tools are strict and some are not; with us that is one setting of the model.
    ignored: ['strict'],
  },
  {
    name: 'ep17-responses-sse-2-openai-native-tool-search-streaming',
    runs: [{ steps: [1, 2] }],
    special: {
      'hosted tools':
        'tool search runs at the provider; its items go back as they came, and both tools are deferred',
    },
    rewritten: { tool_search_call: ['arguments', 'call_id'] },
    dropped: ['tool_search_output'],
  },
  {
    name: 'ep18-responses-json-2-multiple-tools',
    runs: [{ steps: [1, 2], messages: (messages) => [weatherSystem, ...messages] }],
    special: {
      'json answers': json,
      'injected messages': 'the system prompt is an item of the input, not `instructions`',
      previous_response_id:
        'the second request names the first answer and holds the tool results alone',
    },
  },
  {
    name: 'ep20-chat-sse-4-multiple-agents',
    runs: [{ steps: [1] }, { steps: [2, 3, 4] }],
    special: {
      'json answers': 'the first answer is a whole JSON body, the others are streamed',
      'several runs': 'two agents that know nothing of each other',
      'ends in a tool call': '`final_result` is the answer; the run ends with `max_turns`',
    },
    ignored: ['strict'],
  },
  {
    name: 'ep21-chat-json-4-increment-tool-errors',
    runs: [
      {
        steps: [1, 4],
        messages: nudged,
        agents: {
          Delegate_work_to_coworker: {
            steps: [2, 3],
            messages: (messages) => nudged(ownErrorWords(messages)),
            throws: { scoring_examples: 'Error' },
          },
        },
      },
    ],
    special: {
      'json answers': json,
      'nested run': 'a tool of the first agent is a run of a second one, on another model',
      'injected messages': 'a user message after each tool result',
      'tool error':
        'the tool of the second agent throws; our words for it are replaced by the recorded ones',
    },
  },
  {
    name: 'ep23-chat-json-5-testazurestructuredplanning-test-azure-research-workflow-g',
    runs: [{ steps: [1] }, { steps: [2, 3, 4, 5] }],
    special: {
      'json answers': json,
      'several runs':
        'a plan is asked for first, by a tool call; the work does not continue that conversation',
      'ends in a tool call': 'the plan is the arguments of a call; that run ends with `max_turns`',
      'provider path':
        'Azure: the deployment in the path, `api-version` behind it, no model in the body',
    },
  },
];

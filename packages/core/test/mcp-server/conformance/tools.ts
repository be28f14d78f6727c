import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { tool } from '../../../src/tools/define-tool.ts';

/** Form of the suite's questions to a person. */
const form = (properties: Record<string, object>, required: readonly string[] = []) => ({
  type: 'object',
  properties: properties as never,
  required,
});

const enums = {
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: {
    type: 'string',
    oneOf: [
      { const: 'value1', title: 'First Option' },
      { const: 'value2', title: 'Second Option' },
      { const: 'value3', title: 'Third Option' },
    ],
  },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: {
    type: 'array',
    items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  },
  titledMulti: {
    type: 'array',
    items: {
      anyOf: [
        { const: 'value1', title: 'First Choice' },
        { const: 'value2', title: 'Second Choice' },
        { const: 'value3', title: 'Third Choice' },
      ],
    },
  },
};

const defaults = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const asks = (name: string, message: string, schema: ReturnType<typeof form>) =>
  tool({
    name,
    description: 'Asks the person',
    parameters: z.object({ message: z.string().optional() }),
    execute: async (args, { requestInput }) => {
      const answer = await requestInput({ message: args.message ?? message, schema });
      const action = answer === null ? 'decline' : 'accept';
      return `Elicitation completed: action=${action}, content=${JSON.stringify(answer)}`;
    },
  });

/** The tools of the suite that are tools of ours. */
export const conformanceTools = [
  tool({
    name: 'test_simple_text',
    description: 'Simple text',
    parameters: z.object({}),
    effect: 'read',
    execute: () => 'This is a simple text response for testing.',
  }),
  tool({
    name: 'test_error_handling',
    description: 'Fails',
    parameters: z.object({}),
    execute: () => {
      throw new Error('This tool intentionally returns an error for testing');
    },
  }),
  tool({
    name: 'test_tool_with_progress',
    description: 'Reports progress',
    parameters: z.object({}),
    effect: 'read',
    execute: async (_, { progress }) => {
      // The suite wants these pauses.
      progress({ progress: 0, total: 100 });
      await setTimeout(50);
      progress({ progress: 50, total: 100 });
      await setTimeout(50);
      progress({ progress: 100, total: 100 });
      return 'done';
    },
  }),
  asks(
    'test_elicitation',
    'Who are you?',
    form(
      {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      },
      ['username', 'email'],
    ),
  ),
  asks('test_elicitation_sep1034_defaults', 'Review the defaults', form(defaults)),
  asks('test_elicitation_sep1330_enums', 'Choose', form(enums)),
];

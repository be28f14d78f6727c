import { type Tool, tool } from '@steward/core';
import { z } from 'zod';
import type { Outbox } from './outbox.ts';

const getTime = tool({
  name: 'get_time',
  description: 'The current date and time in a time zone.',
  parameters: z.object({
    timezone: z.string().max(64).default('UTC').describe('IANA name, such as Europe/Paris'),
  }),
  effect: 'read',
  execute: ({ timezone }) => ({ timezone, time: timeIn(timezone) }),
});

function timeIn(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      dateStyle: 'full',
      timeStyle: 'short',
    }).format(new Date());
  } catch {
    throw new Error(`There is no time zone "${timeZone}"; use an IANA name such as Europe/Paris`);
  }
}

const sendEmail = (outbox: Outbox) =>
  tool({
    name: 'send_email',
    description: 'Sends an e-mail. A person approves it first.',
    parameters: z.object({
      to: z.email(),
      subject: z.string().min(1).max(200),
      body: z.string().max(20_000),
    }),
    effect: 'write',
    execute: (mail, { principal }) => {
      outbox.send(principal.userId, mail);
      return `Sent to ${mail.to}.`;
    },
  });

export const localTools = (outbox: Outbox): readonly Tool[] => [getTime, sendEmail(outbox)];

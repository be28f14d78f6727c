import { type Tool, tool } from '@steward/core';
import { z } from 'zod';
import type { Outbox } from './outbox.ts';

const getTime = tool({
  name: 'get_time',
  description: 'The current date and time in a city.',
  parameters: z.object({
    city: z.string().min(1).max(64).describe('Such as Tokyo, or an IANA time zone: Europe/Paris'),
  }),
  effect: 'read',
  execute: ({ city }) => {
    const timeZone = timeZoneOf(city);
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      dateStyle: 'full',
      timeStyle: 'short',
    });
    return { timeZone, time: format.format(new Date()) };
  },
});

/** Time zones are named after cities: `Asia/Tokyo`. */
function timeZoneOf(city: string): string {
  const wanted = city.trim().toLowerCase().replaceAll(' ', '_');
  const found = ['UTC', ...Intl.supportedValuesOf('timeZone')].find((zone) =>
    `/${zone.toLowerCase()}`.endsWith(`/${wanted}`),
  );
  if (found) return found;
  throw new Error(`No time zone is named after "${city}"; use an IANA name such as Europe/Paris`);
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

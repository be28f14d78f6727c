import { AssertionError } from 'node:assert';
import type { LiveLog, LogReader, LogWake, LogWriter } from '../../../src/events/live-log.ts';
import { liveLogCases } from '../../../src/testing/suites/live-log.ts';
import { bound, type PortMutants } from './describe-mutants.ts';

/** A live log whose writers are broken. */
function withWriter(
  sound: LiveLog,
  breakage: (writer: LogWriter, epoch: number) => Partial<LogWriter>,
): Partial<LiveLog> {
  return {
    open: (key, epoch) => {
      const writer = bound(sound.open(key, epoch));
      return { ...writer, ...breakage(writer, epoch) };
    },
  };
}

/** A live log whose readers are broken. */
function withReader(
  sound: LiveLog,
  breakage: (reader: LogReader) => Partial<LogReader>,
): Partial<LiveLog> {
  return {
    tail: async (key, after) => {
      const reader = await sound.tail(key, after);
      if (reader === undefined) return undefined;
      const plain = bound(reader);
      return { ...plain, ...breakage(plain) };
    },
  };
}

/** Broken implementations of LiveLog. */
export const liveLogMutants: PortMutants<'liveLog', LiveLog> = {
  port: 'liveLog',
  cases: liveLogCases,
  mutants: {
    'a lost event': [
      'gives a reader every event from the first one, in order and unchanged',
      (sound) =>
        withWriter(sound, (writer) => ({
          publish: (event) => {
            if (!event.cursor.endsWith('-2')) writer.publish(event);
          },
        })),
      'hangs',
    ],
    'a doubled event': [
      'gives a reader every event from the first one, in order and unchanged',
      (sound) =>
        withReader(sound, (reader) => ({
          take: (max) => reader.take(max).flatMap((event) => [event, event]),
        })),
    ],
    'a late writer that is heard': [
      'ignores a writer of an epoch that was replaced',
      (sound) => ({
        open: (key, epoch) => {
          sound.open(key, epoch);
          return {
            publish: (event) => sound.open(key, 9).publish(event),
            close: async () => {},
          };
        },
      }),
    ],
    'one log for all incarnations': [
      'keeps the logs of runs and of their incarnations apart',
      (sound) => ({
        open: (key, epoch) => sound.open({ ...key, incarnation: '' }, epoch),
        tail: (key, after) => sound.tail({ ...key, incarnation: '' }, after),
      }),
    ],
    'a cursor that is forgotten': [
      'gives the events after any cursor it has',
      (sound) => ({ tail: (key) => sound.tail(key) }),
    ],
    'an unknown cursor that is served from the start': [
      'serves no cursor that it cannot place, and no run that it does not have',
      (sound) => ({
        tail: async (key, after) => (await sound.tail(key, after)) ?? (await sound.tail(key)),
      }),
    ],
    'the event of the cursor given again': [
      'gives a reader that is cut and resumes again and again each of 5,000 events once',
      (sound) => ({
        tail: (key, after) => {
          const k = Number(after?.split('-')[1]);
          return sound.tail(key, k > 0 ? `1-${k - 1}` : after);
        },
      }),
    ],
    'a reader that is not woken': [
      'wakes every waiting reader with what is published later',
      (sound) => withReader(sound, () => ({ wait: () => {} })),
      'hangs',
    ],
    'a reader that is woken by a closed log as if there were more': [
      'wakes every reader as lost when the log is closed',
      (sound) =>
        withReader(sound, (reader) => ({ wait: (wake) => reader.wait(() => wake('more')) })),
    ],
    'a closed reader that is woken': [
      'wakes no reader that is closed, and every other one',
      (sound) => withReader(sound, () => ({ close: () => {} })),
    ],
    'a reader that is forgotten if it waits while it is being woken': [
      'wakes a reader once, which may wait again while it is being woken',
      (sound) => withReader(sound, forgetful),
      'hangs',
    ],
    'a writer that throws after its end': [
      'never throws at the writer, also after it or the log was closed',
      (sound) => withWriter(sound, () => throwingAfterClose()),
    ],
  },
};

function forgetful(reader: LogReader): Partial<LogReader> {
  let isWaking = false;
  const wait = (wake: LogWake) => {
    if (isWaking) return;
    reader.wait((why) => {
      isWaking = true;
      wake(why);
      isWaking = false;
    });
  };
  return { wait };
}

function throwingAfterClose(): Partial<LogWriter> {
  let isClosed = false;
  return {
    publish: () => {
      if (isClosed) throw new AssertionError({ message: 'closed' });
    },
    close: async () => {
      isClosed = true;
    },
  };
}

import type { LogReader } from '@steward/core';
import { woken } from '../../core/src/testing/suites/live-log-samples.ts';

/** Reads until the count is reached or the reader is lost. */
export async function read(reader: LogReader, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const events = reader.take(64);
    seen.push(...events.map(({ cursor }) => cursor));
    if (events.length === 0 && (await woken(reader)) === 'lost') return [...seen, 'lost'];
  }
  return seen;
}

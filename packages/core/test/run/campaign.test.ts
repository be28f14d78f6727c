import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

it('keeps every promise in 500 runs of random faults, people and deaths', async () => {
  const report = await runCampaign(500, 1);
  expect(report.runs).toBeGreaterThanOrEqual(500);
  expect(report.deaths).toBeGreaterThan(20);
  expect(report.ends['stop']).toBeGreaterThan(100);
}, 60_000);

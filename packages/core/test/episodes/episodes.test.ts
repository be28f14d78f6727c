import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { recordedData } from '../recorded-data.ts';
import { type EpisodePlan, episodes, type SpecialCase } from './manifest.ts';
import { outputItems, type RecordedEpisode, readEpisode } from './recorded-episode.ts';
import { replayRun } from './replay-run.ts';
import { ReplayServer } from './replay-server.ts';
import { expectSameRequest } from './same-request.ts';

const data = recordedData('openai/episodes');

async function expectReplay(plan: EpisodePlan): Promise<void> {
  const episode = readEpisode(join(data.path, plan.name));
  await using server = await ReplayServer.start(episode.steps);
  const stores = inProcessStores();
  for (const [index, run] of plan.runs.entries()) {
    const conversation = run.continues ? index - 1 : index;
    await replayRun(run, { episode, server, stores }, `conversation-${conversation}`);
  }
  await stores.close();
  expect(server.asked.map(({ path }) => path)).toEqual(episode.steps.map((step) => step.url_path));
  for (const [index, recorded] of episode.steps.entries()) {
    expectSameRequest(server.asked[index]?.body ?? {}, recorded, { episode, plan });
  }
}

/** The special cases that can be told from the recording itself. */
function specialCases({ steps }: RecordedEpisode): SpecialCase[] {
  const items = steps.flatMap(outputItems);
  const requests = steps.map(({ request }) => request);
  const found: Partial<Record<SpecialCase, boolean>> = {
    'json answers': steps.some(({ stream }) => !stream),
    'hosted tools': requests.some(({ tools = [] }) =>
      tools.some((tool) => tool.type !== 'function'),
    ),
    previous_response_id: requests.some((request) => 'previous_response_id' in request),
    reasoning: items.some(({ type }) => type === 'reasoning'),
    'elided strings': steps.some((step) => step.request_elided_strings > 0),
    'provider path': steps.some(({ url_path: path }) => !path.startsWith('/v1/')),
  };
  return Object.entries(found).flatMap(([name, holds]) => (holds ? (name as SpecialCase) : []));
}

describe.runIf(data.tested)('recorded episodes', () => {
  test('all have a plan, which uses each recorded request once', () => {
    expect(episodes.map(({ name }) => name)).toEqual(readdirSync(data.path).sort());
    expect(episodes).toHaveLength(16);
    for (const { name, runs } of episodes) {
      const nested = runs.flatMap(({ agents = {} }) => Object.values(agents));
      const used = [...runs, ...nested].flatMap(({ steps }) => steps);
      const recorded = readEpisode(join(data.path, name)).steps.map((_, index) => index + 1);
      expect(used.sort((a, b) => a - b)).toEqual(recorded);
    }
  });

  test('are planned with every special case that can be told from them', () => {
    for (const { name, runs, special } of episodes) {
      const named = Object.keys(special);
      const found = specialCases(readEpisode(join(data.path, name)));
      expect(named).toEqual(expect.arrayContaining(found));
      expect(named.includes('several runs')).toBe(runs.length > 1);
    }
  });

  test.each(episodes)('$name: our requests ask what was asked, and end as it ended', expectReplay);
});

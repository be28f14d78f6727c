// What is measured. `ratio` is the metric that is compared with `raw` (S5: with importing `openai`); `target` is the
// highest ratio that Steward may have.

/** @type {Record<string, { title: string, kind: string, variants: Record<string, object> }>} */
export const scenarios = {
  S1: {
    title: 'CPU per token',
    kind: 'tokens',
    ratio: 'cpuUs',
    variants: {
      one: { what: '1 stream of 20,000', target: 1, streams: 1, tokens: 20_000, repetitions: 3 },
      many: { what: '200 streams of 500', target: 1, streams: 200, tokens: 500, repetitions: 2 },
      paced: {
        what: '100 streams, a token every 20 ms',
        target: 0.8,
        streams: 100,
        tokens: 100,
        delay: 20,
        repetitions: 2,
      },
    },
  },
  S2: {
    title: 'Time to the first token',
    kind: 'sequential',
    ratio: 'firstTokenMs',
    variants: { first: { what: '20 tokens, one by one', target: 1.1, requests: 300, warm: 100 } },
  },
  S3: {
    title: 'CPU of a run with tools',
    kind: 'loop',
    ratio: 'cpuMs',
    variants: {
      '10x1': {
        what: '10 rounds of 1 call',
        target: 1.3,
        model: 'fake-20-10x1',
        runs: 60,
        warm: 30,
      },
      '1x20': {
        what: '1 round of 20 calls',
        target: 1.3,
        model: 'fake-20-1x20',
        runs: 100,
        warm: 40,
      },
    },
  },
  S4: {
    title: 'CPU of a request with a catalogue',
    kind: 'sequential',
    ratio: 'cpuMs',
    variants: {
      500: { what: '500 tools sent', target: 1.5, requests: 30, warm: 10, toolCount: 500 },
    },
  },
  S5: {
    title: 'Cold start and size',
    kind: 'cold',
    ratio: 'importMs',
    variants: { cold: { what: 'import in a fresh process' } },
  },
  S6: {
    title: 'Memory of a slow stream',
    kind: 'slow',
    ratio: 'rssKB',
    flags: ['--expose-gc'],
    variants: {
      slow: {
        what: '1,000 streams, a token every 500 ms',
        target: 0.8,
        streams: 1_000,
        delay: 500,
        tokens: 30,
        windowMs: 5_000,
      },
    },
  },
};

/** How far importing Steward may be from importing the `openai` package, in milliseconds. */
export const importTargetMs = 40;

import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { openTelemetry } from '../../src/telemetry/open-telemetry.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';

const contexts = new AsyncLocalStorageContextManager();
beforeAll(() => context.setGlobalContextManager(contexts.enable()));
afterAll(() => context.disable());

it('makes a run one trace of its turns and tool calls, without what was said', async () => {
  const spans = new InMemorySpanExporter();
  const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: points });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const assistant = new Assistant({
    model: scriptedModel([
      { toolCalls: [{ name: 'look_up', args: { word: 'secret-argument' } }] },
      { text: 'secret-answer' },
    ]),
    tools: [
      tool({
        name: 'look_up',
        description: 'Looks a word up',
        parameters: { type: 'object', properties: { word: { type: 'string' } } },
        effect: 'read',
        execute: () => 'secret-result',
      }),
    ],
    telemetry: openTelemetry({
      tracerProvider: new TracerProvider({
        spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
      }),
      meterProvider,
    }),
  });
  await assistant.run('secret-question').result();
  await assistant.close();
  await reader.forceFlush();

  const finished = spans.getFinishedSpans();
  expect(finished.map((span) => span.name)).toEqual([
    'chat',
    'execute_tool look_up',
    'chat',
    'invoke_agent',
  ]);
  const root = finished.at(-1);
  expect(root?.attributes['steward.run.status']).toBe('succeeded');
  for (const span of finished.slice(0, -1)) {
    expect(span.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
  }
  const metrics = points
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics);
  expect(metrics.map((metric) => metric.descriptor.name).sort()).toEqual([
    'gen_ai.client.operation.duration',
    'gen_ai.client.operation.time_to_first_chunk',
    'gen_ai.client.token.usage',
  ]);
  const everything = JSON.stringify([
    finished.map(({ attributes, events }) => [attributes, events]),
    metrics,
  ]);
  expect(everything).not.toContain('secret');
  await meterProvider.shutdown();
});

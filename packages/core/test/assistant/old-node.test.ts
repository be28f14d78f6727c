import { afterEach, expect, test } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { demoModel } from '../../src/model/demo-model.ts';

const there = Object.getOwnPropertyDescriptor(Promise, 'withResolvers') ?? {};
afterEach(() => Object.defineProperty(Promise, 'withResolvers', there));

test('says at once that this Node is too old, not in the middle of a run', () => {
  const model = demoModel();
  Object.defineProperty(Promise, 'withResolvers', { ...there, value: undefined });
  expect(() => new Assistant({ model })).toThrow('Steward needs Node 22.12 or newer');
});

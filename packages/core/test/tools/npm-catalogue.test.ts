import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isRecord, type JsonObject } from '../../src/internal/json.ts';
import { schemaCheck } from '../../src/tools/argument-validator.ts';
import { boundedSchema, modelParameters } from '../../src/tools/schema-limits.ts';
import { modelNamesFor } from '../../src/tools/tool-registry.ts';
import { recordedData } from '../recorded-data.ts';

const data = recordedData('tool-retrieval');
const catalogues = ['npm-catalogue', 'livemcpbench'].map(
  (name) => `${data.path}/${name}/tools.jsonl`,
);

interface Entry {
  readonly id: string;
  readonly server: string;
  readonly name: string;
  readonly inputSchema?: JsonObject;
}

test.runIf(data.tested)(
  'every schema of the published catalogues compiles, and every name can be told to a model and back',
  async () => {
    const lines = catalogues.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
    const entries = lines.map((line) => JSON.parse(line) as Entry);
    expect(entries.length).toBeGreaterThan(500);
    const problems: string[] = [];
    for (const { id, inputSchema = {} } of entries) {
      const schema = boundedSchema(inputSchema);
      expect(modelParameters(schema)).toMatchObject({ type: 'object' });
      for (const author of ['host', 'server'] as const) {
        const message = await schemaCheck(schema, author)({});
        if (message?.includes('cannot be used')) problems.push(`${id}: ${message}`);
      }
      expect(isRecord(schema)).toBe(true);
    }
    expect(problems).toEqual([]);
    const names = [...new Set(entries.map(({ server, name }) => `${server}__${name}`))];
    const mapped = modelNamesFor(names);
    expect(new Set(mapped.values()).size).toBe(names.length);
    expect([...mapped.values()].filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([]);
  },
);

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { examineRedis } from '../src/index.ts';
import { privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: { readonly postgres: Service; readonly redis: Service };
  readonly volumes: Readonly<Record<string, null>>;
}

const text = await readFile(new URL('../../../compose.yaml', import.meta.url), 'utf8');
const { services, volumes }: Compose = parse(text);

describe('compose.yaml', () => {
  it('has a PostgreSQL that the address in its comment leads to', () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = services.postgres.environment ?? {};
    const address = `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@127.0.0.1:5432/${POSTGRES_DB}`;
    expect(text).toContain(`export DATABASE_URL=${address}\n`);
    expect(services.postgres.image).toMatch(/^pgvector\/pgvector:pg(1[4-9]|[2-9]\d)$/);
  });

  it('names commands that a checkout has', async () => {
    const names = [...text.matchAll(/npm run (\S+)/g)].map(([, name]) => name);
    const { scripts } = JSON.parse(
      await readFile(new URL('../../../package.json', import.meta.url), 'utf8'),
    );
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(Object.keys(scripts)).toContain(name);
    expect(text).not.toContain('npx');
  });

  it('lets nobody in from elsewhere, keeps its data and says when it is ready', () => {
    for (const service of Object.values(services)) {
      expect(service.ports).toHaveLength(1);
      for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const volume of service.volumes) {
        expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
      }
      expect(service.healthcheck.test[0]).toBe('CMD');
    }
  });

  it.runIf(hasRedis)('has a Redis that everything is well with', async () => {
    const [binary, ...settings] = services.redis.command ?? [];
    expect(binary).toBe('redis-server');
    const { url } = await privateRedis(...settings);
    const findings = await examineRedis({ url });
    expect(findings.length).toBeGreaterThan(5);
    for (const { check, state } of findings) expect([check, state]).toEqual([check, 'ok']);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as testing from '../../src/testing/index.ts';

/** Which packages implement the port of a suite. */
const implementations = {
  testRunStore: ['core', 'store-postgres'],
  testConversationStore: ['core', 'store-postgres'],
  testUsageStore: ['core', 'store-postgres'],
  testAuditLog: ['core', 'store-postgres'],
  testToolServerStore: ['core', 'store-postgres'],
  testArtifactStore: ['core', 'store-postgres'],
  testUserStore: ['core', 'store-postgres'],
  testLiveLog: ['core', 'store-redis'],
  testRunEngine: ['core', 'store-redis'],
  testRateLimiter: ['core', 'store-redis'],
  testBreakerStore: ['core', 'store-redis'],
  testHints: ['core', 'store-redis'],
  testSessionStore: ['core', 'store-redis'],
  testCache: ['core', 'store-redis'],
  testCredentialStore: ['core'],
} satisfies Partial<Record<keyof typeof testing, readonly string[]>>;

/** The test files of a package. */
function textOfTests(name: string): string {
  const folder = new URL(`../../../${name}/test/`, import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts') && !file.includes('every-driver'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
}

describe('the conformance suites', () => {
  it('are those that drivers outside can run as well', () => {
    const suites = Object.keys(testing).filter((name) => /^test[A-Z]/.test(name));
    expect(suites.sort()).toEqual(Object.keys(implementations).sort());
  });

  it.each(Object.entries(implementations))('%s runs in %j', (suite, packages) => {
    for (const name of packages) expect(textOfTests(name)).toContain(`await ${suite}(`);
  });
});

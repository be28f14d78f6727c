import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../src');

/** The sources without what is said in comments, by path below `src`. The test kit has no effects to guard. */
const sources = new Map(
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !path.startsWith('testing/'))
    .map((path) => [path, withoutComments(readFileSync(join(root, path), 'utf8'))]),
);

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

/** How often each file has something of this form. */
function mentions(form: RegExp): Record<string, number> {
  const counts = [...sources].map(([path, source]) => [path, source.match(form)?.length ?? 0]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

it('names `execute` where tools are defined, and once more: where a started call is performed', () => {
  expect(mentions(/\bexecute\b/g)).toEqual({
    'run/perform-call.ts': 1,
    // What `tool()` takes, checks and wraps, and what a tool is.
    'tools/define-tool.ts': 6,
    'tools/tool.ts': 1,
    'assembly.ts': 1,
    // Tools that are defined here; those of servers also while they are blocked, when they refuse.
    'artifacts/read-artifact-tool.ts': 1,
    'mcp/mcp-tool.ts': 2,
    // The gate of a server of our own, and a word of the REST contract.
    'mcp-server/server-calls.ts': 1,
    'mcp-server/rest-face.ts': 2,
    'mcp-server/http-face.ts': 3,
    'mcp/rest-client.ts': 1,
    // A bulkhead's verb.
    'mcp/call-guard.ts': 1,
    // A word that the demo model says.
    'model/demo/overview.ts': 1,
  });
  expect(mentions(/\btool\.execute\(/g)).toEqual({
    'run/perform-call.ts': 1,
    'mcp-server/server-calls.ts': 1,
  });
});

it('performs a call in one place, right behind the gate that let it through', () => {
  const users = [...sources].filter(([, source]) => /\bperformCall\b/.test(source));
  expect(users.map(([path]) => path).toSorted()).toEqual([
    'run/perform-call.ts',
    'run/tool-call.ts',
  ]);
  const story = sources.get('run/tool-call.ts') ?? '';
  expect(story.match(/\bperformCall\(/g)).toHaveLength(1);
  expect(story).toMatch(
    /= await startCall\([^;]*;\s*if \(start\.kind !== 'go'\) return [^;]*;[^;]*\bperformCall\(/,
  );
});

it('goes through the gate of the store in one place', () => {
  const { 'run/tool-call.ts': calls, ...others } = mentions(/\bstartCall\b/g);
  expect(calls).toBe(3);
  expect(Object.keys(others).filter((path) => !path.startsWith('stores/'))).toEqual([]);
  expect(sources.get('run/tool-call.ts')?.match(/\bruns\.startCall\(/g)).toHaveLength(1);
});

it('sends a call to an MCP server from its tool alone', () => {
  expect(mentions(/\b(?:server|client)\.call(?:Tool)?\(/g)).toEqual({
    'mcp/mcp-tool.ts': 1,
    'mcp/pooled-server.ts': 1,
    'mcp/native-client.ts': 1,
  });
});

import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/internal/clock.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import { readServerConfigs } from '../../src/mcp/server-config.ts';
import type { ApprovedTools } from '../../src/mcp/server-entry.ts';
import { ServerPool } from '../../src/mcp/server-pool.ts';
import type { PromptArguments } from '../../src/mcp/server-prompts.ts';
import { inProcessBreakerStore } from '../../src/stores/in-process/in-process-breaker-store.ts';
import { inProcessToolServerStore } from '../../src/stores/in-process/in-process-tool-server-store.ts';
import type { Principal, ToolContext } from '../../src/tools/tool.ts';
import { ToolContent } from '../../src/tools/tool-content.ts';
import { ToolRegistry } from '../../src/tools/tool-registry.ts';
import { toolContext } from '../tools/tool-context.ts';

/** The programs of `servers/`. */
export const programs = {
  current: fileURLToPath(new URL('./servers/stdio-server.ts', import.meta.url)),
  old: fileURLToPath(new URL('./servers/old-stdio-server.ts', import.meta.url)),
};

const local = { userId: 'local' };

/** A pool with its registry, closed when the test ends. */
export function openPool(
  mcp: unknown,
  { toolServers = inProcessToolServerStore(), clock = systemClock } = {},
) {
  const registry = new ToolRegistry([]);
  const servers = new ServerPool(readServerConfigs(mcp), {
    clock,
    toolServers,
    breakers: inProcessBreakerStore(systemClock),
    onTools: (server, tools) => registry.setServer(server, tools),
  });
  onTestFinished(() => servers.close());
  const pool = {
    prepare: (principal: Principal = local) => servers.prepare(principal),
    servers: (principal: Principal = local) => servers.servers(principal),
    approve: (server: string, hashes: ApprovedTools) =>
      servers.server(server).then((found) => found.approve(hashes)),
    prompts: (server: string) => servers.server(server).then((found) => found.prompts(local)),
    prompt: (server: string, name: string, args: PromptArguments) =>
      servers.server(server).then((found) => found.prompt(local, name, args)),
    signIn: (server: string, principal: Principal = local) =>
      servers.server(server).then((found) => found.signInPage(principal)),
    finishSignIn: (came: string, principal: Principal = local) =>
      servers.finishSignIn(new URL(came), principal),
    close: () => servers.close(),
  };
  const find = (name: string) => {
    const found = registry.get(name);
    if (found === undefined)
      throw new Error(
        `no tool ${name} among ${registry
          .list()
          .map((tool) => tool.name)
          .join(', ')}`,
      );
    return found;
  };
  return {
    pool,
    registry,
    find,
    state: () => pool.servers()[0],
    /** The text of an answer. */
    call: async (name: string, args: JsonObject = {}, context: Partial<ToolContext> = {}) => {
      const result = await find(name).execute(args, toolContext(context));
      if (!(result instanceof ToolContent)) throw new Error('not content');
      return result.parts
        .map((part) =>
          part.type === 'text' ? part.text : `${part.mediaType}:${part.bytes.join(',')}`,
        )
        .join('\n');
    },
  };
}

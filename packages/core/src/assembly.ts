import { readArtifactTool } from './artifacts/read-artifact-tool.ts';
import { checkOptions, readBudgets, readLease, readLimits } from './assistant-arguments.ts';
import { InProcessEngine } from './engine/in-process-engine.ts';
import { type Clock, systemClock } from './internal/clock.ts';
import { defined } from './internal/defined.ts';
import { isRecord } from './internal/json.ts';
import { readServerConfigs } from './mcp/server-config.ts';
import { ServerPool } from './mcp/server-pool.ts';
import type { ModelClient } from './model/model-client.ts';
import { type OpenAIModelOptions, openaiModel } from './model/openai-model.ts';
import type { AssistantOptions } from './options.ts';
import { noMasking } from './policies/masking.ts';
import type { RunSettings } from './run/run-settings.ts';
import { RunWaker } from './run/run-waker.ts';
import { inProcessStores } from './stores/in-process/in-process-stores.ts';
import { noTelemetry } from './telemetry/no-telemetry.ts';
import type { Tool } from './tools/tool.ts';
import { ToolRegistry } from './tools/tool-registry.ts';

/** The parts of an assistant, made from its options. */
export interface Assembly {
  readonly settings: RunSettings;
  readonly servers: ServerPool;
  /** Whether the stores were made here and have to be closed here. */
  readonly ownsStores: boolean;
}

/** Makes the parts. Throws a `TypeError` naming the option that is wrong. */
export function assemble(options: AssistantOptions): Assembly {
  checkNode();
  checkOptions(options);
  const given = { ...defaults(options.clock ?? systemClock), ...defined(options) };
  const { clock, stores } = given;
  checkSharing(given);
  const limits = readLimits(options.limits);
  const tools = new ToolRegistry(readTools(given.tools), {
    onDemand: [readArtifactTool(stores.artifacts, limits.resultLimitBytes)],
  });
  const servers = new ServerPool(readServerConfigs(given.mcp), {
    clock,
    credentials: options.credentials,
    breakers: stores.breakers,
    toolServers: stores.toolServers,
    onTools: (server, listed) => tools.setServer(server, listed),
  });
  const settings: RunSettings = {
    ...given,
    model: readModel(options.model),
    instructions: options.instructions,
    tools,
    waker: new RunWaker(given.engine),
    connectServers: (principal) => servers.prepare(principal),
    limits,
    lease: readLease(options.lease),
    budgets: readBudgets(options.budgets),
  };
  return { settings, servers, ownsStores: options.stores === undefined };
}

/** Another process would go on with a run and not find what it kept. */
function checkSharing({ engine, stores }: Pick<RunSettings, 'engine' | 'stores'>): void {
  if (!engine.isShared || !stores.artifacts.isLocal) return;
  throw new TypeError(
    'Assistant: stores.artifacts are kept in this process, but its engine shares runs with others; ' +
      'give stores that all of them reach, such as those of @steward/store-postgres',
  );
}

/** What an older Node lacks would fail later, in the middle of a run. */
function checkNode(): void {
  if (typeof Promise.withResolvers === 'function') return;
  throw new Error(`Steward needs Node 22.12 or newer; this is Node ${process.versions.node}.`);
}

/** What an assistant has where nothing was given. */
function defaults(clock: Clock) {
  return {
    clock,
    tools: [],
    mcp: {},
    stores: inProcessStores({ clock }),
    engine: new InProcessEngine({ clock }),
    telemetry: noTelemetry,
    rateLimit: null,
    masking: noMasking,
    prepareTurn: () => undefined,
    crashPoint: () => undefined,
  };
}

function readModel(model: AssistantOptions['model']): ModelClient {
  if (typeof model === 'string') return openaiModel({ model });
  return isClient(model) ? model : openaiModel(model);
}

function isClient(model: ModelClient | OpenAIModelOptions): model is ModelClient {
  return 'stream' in model && typeof model.stream === 'function';
}

function readTools(tools: readonly Tool[]): readonly Tool[] {
  for (const [index, tool] of tools.entries()) {
    if (isRecord(tool) && typeof tool['execute'] === 'function' && 'definitionHash' in tool)
      continue;
    throw new TypeError(`Assistant: tools[${index}] must be made by tool()`);
  }
  return tools;
}

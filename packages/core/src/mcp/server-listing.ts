import { StewardError } from '../errors/steward-error.ts';
import type { Clock } from '../internal/clock.ts';
import type { Tool } from '../tools/tool.ts';
import type { McpCall, McpClient } from './mcp-client.ts';
import { type ChangedTool, mcpTools, type RefusedTool, type ToolServer } from './mcp-tool.ts';
import { definitionOf, type ToolPins } from './tool-pins.ts';

/** What a listing needs. */
export interface ServerListingOptions {
  readonly clock: Clock;
  /** Makes the tools usable; may refuse with `duplicate_tool`. */
  readonly onTools: (server: string, tools: readonly Tool[]) => void;
  /** What is known of the tools of the server; `null` when its changes are accepted as they come. */
  readonly pins: ToolPins | null;
}

/** A server that says again and again that its tools changed is listed this often. */
const LIST_EVERY_MS = 1_000;
/** A listing is fresh for so long at least: many servers say 0, and mean that they do not know. */
const FRESH_MS = 30_000;

/** What a server lists: taken over as a whole, and again when it changed or when the server said that it grows old. */
export class ServerListing {
  /** How many of the tools can be used. */
  tools = 0;
  refused: readonly RefusedTool[] = [];
  changed: readonly ChangedTool[] = [];
  #definitions: ReadonlyMap<string, string> = new Map();
  #listedAt = 0;
  readonly #options: ServerListingOptions;
  #freshUntil = Number.POSITIVE_INFINITY;
  #notBefore = 0;
  #isAsked = false;

  constructor(options: ServerListingOptions) {
    this.#options = options;
  }

  get isStale(): boolean {
    return this.#options.clock.now() >= this.#freshUntil;
  }

  /** Lists and takes over. Throws what listing throws, and `duplicate_tool`. */
  async take(server: ToolServer, client: McpClient, signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    this.#notBefore = now + LIST_EVERY_MS;
    this.#freshUntil = Number.POSITIVE_INFINITY;
    const { tools: listed, ttlMs } = await client.list(signal);
    const { onTools, pins } = this.#options;
    const { tools, refused, changed } = mcpTools(server, listed, await pins?.changed(listed));
    onTools(server.name, tools);
    this.tools = tools.length - changed.length;
    this.refused = refused;
    this.changed = changed;
    this.#definitions = new Map(listed.map((tool) => [tool.name, definitionOf(tool)]));
    this.#listedAt = now;
    this.#freshUntil = ttlMs === null ? Number.POSITIVE_INFINITY : now + Math.max(ttlMs, FRESH_MS);
  }

  /** Whether a call is made only after the server was asked once more: what changes something must be what was approved. */
  mustAsk({ effect }: McpCall): boolean {
    return effect !== 'read' && this.#options.clock.now() - this.#listedAt >= LIST_EVERY_MS;
  }

  /** Throws `tool_changed` when the server lists the tool no longer, or another one of this name. */
  checkUnchanged({ tool }: McpCall, server: string): void {
    if (this.#definitions.get(tool.name) === definitionOf(tool)) return;
    const message = `MCP server "${server}" has changed its tool "${tool.name}" or taken it back; nothing was sent.`;
    throw new StewardError('tool_changed', message);
  }

  /** Calls `again` when it is time to list again: once for however many changes. */
  whenDue(again: () => void): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { clock } = this.#options;
    const due = (): void => {
      this.#isAsked = false;
      again();
    };
    const ms = this.#notBefore - clock.now();
    if (ms <= 0) due();
    else clock.schedule(due, ms, { background: true });
  }
}

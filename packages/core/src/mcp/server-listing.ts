import type { Clock } from '../internal/clock.ts';
import type { Tool } from '../tools/tool.ts';
import type { McpClient } from './mcp-client.ts';
import { mcpTools, type RefusedTool, type ToolServer } from './mcp-tool.ts';

/** What a listing needs. */
export interface ServerListingOptions {
  readonly clock: Clock;
  /** Makes the tools usable; may refuse with `duplicate_tool`. */
  readonly onTools: (server: string, tools: readonly Tool[]) => void;
}

/** A server that says again and again that its tools changed is listed this often. */
const LIST_EVERY_MS = 1_000;

/** What a server lists: taken over as a whole, and again when it changed or when the server said that it grows old. */
export class ServerListing {
  /** How many of the tools can be used. */
  tools = 0;
  refused: readonly RefusedTool[] = [];
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
    const { tools, refused } = mcpTools(server, listed);
    this.#options.onTools(server.name, tools);
    this.tools = tools.length;
    this.refused = refused;
    this.#freshUntil =
      ttlMs === null ? Number.POSITIVE_INFINITY : now + Math.max(ttlMs, LIST_EVERY_MS);
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

import { StewardError } from '../errors/steward-error.ts';
import { digest } from '../internal/digest.ts';
import { isRecord } from '../internal/json.ts';
import type { ToolServerRecord, ToolServerStore } from '../stores/tool-server-store.ts';
import type { ListedTool } from './mcp-client.ts';

/** Servers of the host belong to no tenant. */
const HOST_TENANT = '';
/** Writers at the same time; each loses against one of the others at most once. */
const MAX_TRIES = 20;

type Pinned = ToolServerRecord['pinned'];

const hashes = new WeakMap<ListedTool, string>();

/** The hash over all that a server says of a tool. */
export function definitionOf(tool: ListedTool): string {
  const known = hashes.get(tool) ?? digest(tool.definition);
  hashes.set(tool, known);
  return known;
}

/**
 * The definitions of a server's tools that are good: each as it was first seen, until a person approves another. Kept in
 * the store, so that a change is a change after a restart and in every process.
 */
export class ToolPins {
  readonly #server: string;
  readonly #store: ToolServerStore;

  constructor(server: string, store: ToolServerStore) {
    this.#server = server;
    this.#store = store;
  }

  /** Pins what was never seen; the names of tools whose definition is not the one that is pinned. */
  async changed(listed: readonly ListedTool[]): Promise<ReadonlySet<string>> {
    const seen = new Map(listed.map((tool) => [tool.name, definitionOf(tool)]));
    const pinned = await this.#edit((known) => {
      const fresh = [...seen].filter(([name]) => !Object.hasOwn(known, name));
      return fresh.length === 0 ? known : { ...known, ...Object.fromEntries(fresh) };
    });
    return new Set([...seen].flatMap(([name, hash]) => (pinned[name] === hash ? [] : [name])));
  }

  /** Approves definitions: tool name to the hash that was shown. */
  async approve(hashes: Pinned): Promise<void> {
    if (!isRecord(hashes) || !Object.values(hashes).every((hash) => typeof hash === 'string')) {
      throw new TypeError('approveTools: hashes must be an object of texts');
    }
    await this.#edit((known) => ({ ...known, ...hashes }));
  }

  async #edit(edit: (known: Pinned) => Pinned): Promise<Pinned> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const record = (await this.#store.get(HOST_TENANT, this.#server)) ?? this.#empty();
      const pinned = edit(record.pinned);
      if (pinned === record.pinned || (await this.#store.put({ ...record, pinned }))) return pinned;
    }
    const message = `The definitions of MCP server "${this.#server}" could not be kept.`;
    throw new StewardError('store_unavailable', message);
  }

  #empty(): ToolServerRecord {
    return { tenantId: HOST_TENANT, name: this.#server, config: {}, pinned: {}, version: 0 };
  }
}

import { StewardError } from '../errors/steward-error.ts';
import { sha256 } from '../internal/digest.ts';
import type { ToolDefinition } from '../model/model-client.ts';
import type { Tool } from './tool.ts';

/** What the model APIs accept as the name of a function. */
const MODEL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
/** Selections remembered for one set of tools. */
const MAX_SELECTIONS = 256;

/** Everything that follows from one set of tools; replaced as a whole when the set changes. */
interface Catalogue {
  readonly tools: readonly Tool[];
  readonly byName: ReadonlyMap<string, Tool>;
  readonly byModelName: ReadonlyMap<string, Tool>;
  readonly modelNames: ReadonlyMap<string, string>;
  readonly definitions: readonly ToolDefinition[];
  readonly definitionOf: ReadonlyMap<Tool, ToolDefinition>;
  readonly selections: Map<string, readonly ToolDefinition[]>;
}

/**
 * The tools of an assistant by name: the host's own from the start, those of servers as they come and go. Names are unique;
 * each has a name for the model that leads back to it.
 */
export class ToolRegistry {
  readonly #own: readonly Tool[];
  readonly #onDemand: ReadonlySet<string>;
  readonly #servers = new Map<string, readonly Tool[]>();
  #catalogue: Catalogue;

  /** `onDemand` tools can be called, but are told to the model only by name. Throws `duplicate_tool`. */
  constructor(
    own: readonly Tool[],
    { onDemand = [] }: { readonly onDemand?: readonly Tool[] } = {},
  ) {
    this.#own = [...own, ...onDemand];
    this.#onDemand = new Set(onDemand.map((tool) => tool.name));
    this.#catalogue = catalogueOf(this.#own);
  }

  /** The tool with this name. */
  get(name: string): Tool | undefined {
    return this.#catalogue.byName.get(name);
  }

  /** The tool that the model calls by this name. */
  byModelName(modelName: string): Tool | undefined {
    return this.#catalogue.byModelName.get(modelName);
  }

  /** What the model calls a tool; `undefined` when there is none of this name. */
  modelName(name: string): string | undefined {
    return this.#catalogue.modelNames.get(name);
  }

  /** All tools: the host's own in their order, then each server's. */
  list(): readonly Tool[] {
    return this.#catalogue.tools;
  }

  /**
   * What the model is told: of all tools but those on demand, or of those named. Equal sets give the same frozen array, so that clients
   * serialise it once. Names without a tool are left out.
   */
  definitions(names?: readonly string[]): readonly ToolDefinition[] {
    const { byName, definitions, tools, selections } = this.#catalogue;
    const wanted = names && new Set(names.filter((name) => byName.has(name)));
    const key = wanted ? JSON.stringify([...wanted].sort()) : '';
    const known = selections.get(key);
    if (known !== undefined) return known;
    const told = (name: string): boolean => wanted?.has(name) ?? !this.#onDemand.has(name);
    const chosen = Object.freeze(definitions.filter((_, index) => told(tools[index]?.name ?? '')));
    if (selections.size >= MAX_SELECTIONS) selections.clear();
    selections.set(key, chosen);
    return chosen;
  }

  /**
   * Replaces the tools of a server; an empty list removes them. Throws `duplicate_tool`, and then changes nothing.
   * Definitions that did not change stay the same objects.
   */
  setServer(server: string, tools: readonly Tool[]): void {
    const servers = new Map(this.#servers);
    if (tools.length === 0) servers.delete(server);
    else servers.set(server, [...tools]);
    const ordered = [...servers]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, listed]) => listed);
    this.#catalogue = catalogueOf([...this.#own, ...ordered], this.#catalogue);
    if (tools.length === 0) this.#servers.delete(server);
    else this.#servers.set(server, [...tools]);
  }
}

function catalogueOf(tools: readonly Tool[], before?: Catalogue): Catalogue {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    const other = byName.get(tool.name);
    if (other !== undefined) throw duplicate(tool, other);
    byName.set(tool.name, tool);
  }
  const modelNames = modelNamesFor([...byName.keys()]);
  const byModelName = new Map<string, Tool>();
  for (const [name, tool] of byName) byModelName.set(modelNames.get(name) ?? name, tool);
  const definitions = tools.map((tool) =>
    definitionOf(tool, modelNames.get(tool.name) ?? tool.name, before),
  );
  const same =
    before !== undefined &&
    before.definitions.length === definitions.length &&
    definitions.every((definition, index) => definition === before.definitions[index]);
  return {
    tools: Object.freeze([...tools]),
    byName,
    byModelName,
    modelNames,
    definitions: same ? before.definitions : Object.freeze(definitions),
    definitionOf: new Map(tools.map((tool, index) => [tool, definitions[index] as ToolDefinition])),
    selections: same ? before.selections : new Map(),
  };
}

function definitionOf(tool: Tool, name: string, before: Catalogue | undefined): ToolDefinition {
  const earlier = before?.byName.get(tool.name);
  const known = earlier === undefined ? undefined : before?.definitionOf.get(earlier);
  if (known?.name === name && earlier?.definitionHash === tool.definitionHash) return known;
  return Object.freeze({ name, description: tool.description, parameters: tool.parameters });
}

function duplicate(tool: Tool, other: Tool): StewardError {
  const where = ({ server }: Tool): string =>
    server === null ? 'the tools of the host' : `server "${server}"`;
  const places =
    tool.server === other.server
      ? `both of ${where(tool)}`
      : `one of ${where(other)} and one of ${where(tool)}`;
  const message = `Two tools are named "${tool.name}", ${places}; rename one.`;
  return new StewardError('duplicate_tool', message, { field: tool.name });
}

/**
 * Names for the model, the same for the same set of names. A name that the APIs accept is kept; any other keeps what it can
 * and gets a hash of the whole, so that two names never become one.
 */
export function modelNamesFor(names: readonly string[]): ReadonlyMap<string, string> {
  const mapped = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of names) {
    if (!MODEL_NAME.test(name)) continue;
    mapped.set(name, name);
    taken.add(name);
  }
  for (const name of names.filter((candidate) => !taken.has(candidate)).sort()) {
    let chosen = hashedName(name, 0);
    for (let attempt = 1; taken.has(chosen); attempt += 1) chosen = hashedName(name, attempt);
    mapped.set(name, chosen);
    taken.add(chosen);
  }
  return mapped;
}

function hashedName(name: string, attempt: number): string {
  const readable = name.replaceAll(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 53);
  return `${readable}_${sha256(JSON.stringify([name, attempt])).slice(0, 10)}`;
}

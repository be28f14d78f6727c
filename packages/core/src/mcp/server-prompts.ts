import type { Client, ContentBlock } from '@modelcontextprotocol/client';
import type { ContentPart } from '../events/message.ts';
import { contentParts } from './content-blocks.ts';
import { withoutHidden } from './hidden-text.ts';

/**
 * A prompt that an MCP server offers to people, as `assistant.prompts` lists it.
 *
 * @example
 * ```ts
 * import type { ServerPrompt } from '@steward/core';
 *
 * const label = (prompt: ServerPrompt) =>
 *   `${prompt.name}(${prompt.arguments.map(({ name }) => name).join(', ')})`;
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
export interface ServerPrompt {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
  }[];
}

/**
 * What is filled into a prompt, by the name of the argument.
 *
 * @example
 * ```ts
 * import type { PromptArguments } from '@steward/core';
 *
 * const args: PromptArguments = { who: 'Ann' };
 * ```
 */
export type PromptArguments = { readonly [name: string]: string };

/**
 * A message of a prompt, as `assistant.prompt` gives it: what a user's message may hold.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, type PromptMessage } from '@steward/core';
 *
 * const assistant = new Assistant({ model: demoModel() });
 * const ask = (messages: readonly PromptMessage[]) =>
 *   assistant.run(messages.flatMap(({ content }) => content));
 * ```
 */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: readonly ContentPart[];
}

type Options = NonNullable<Parameters<Client['listPrompts']>[1]>;

/** The prompts of a server, in words that can be seen. */
export async function listPrompts(
  client: Client,
  options: Options,
): Promise<readonly ServerPrompt[]> {
  if (client.getServerCapabilities()?.prompts === undefined) return [];
  const { prompts } = await client.listPrompts(undefined, options);
  return prompts.map((prompt) => ({
    name: prompt.name,
    description: withoutHidden(prompt.description ?? prompt.title ?? ''),
    arguments: (prompt.arguments ?? []).map(({ name, description = '', required = false }) => ({
      name,
      description: withoutHidden(description),
      required,
    })),
  }));
}

/** A prompt with its arguments filled in. */
export async function getPrompt(
  client: Client,
  prompt: { readonly name: string; readonly arguments: PromptArguments },
  options: Options,
): Promise<readonly PromptMessage[]> {
  const { messages } = await client.getPrompt(
    { ...prompt, arguments: { ...prompt.arguments } },
    options,
  );
  return messages.map(({ role, content }) => ({ role, content: messageParts(content) }));
}

function messageParts(block: ContentBlock): ContentPart[] {
  return contentParts([block], undefined).map((part): ContentPart => {
    if (part.type === 'text') return { type: 'text', text: withoutHidden(part.text) };
    const url = `data:${part.mediaType};base64,${Buffer.from(part.bytes).toString('base64')}`;
    if (part.mediaType.startsWith('image/')) return { type: 'image', url };
    return { type: 'file', data: url };
  });
}

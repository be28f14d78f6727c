import { fileURLToPath } from 'node:url';
import {
  Assistant,
  type AssistantOptions,
  type Effect,
  type McpServerConfig,
  type Tool,
} from '@steward/core';
import { localTools } from './local-tools.ts';
import type { Outbox } from './outbox.ts';

// What the file server's tools may do is said here, by the host; what is not named counts as a write and asks first.
const fileEffects: Record<string, Effect> = {
  read_file: 'read',
  read_text_file: 'read',
  read_media_file: 'read',
  read_multiple_files: 'read',
  list_directory: 'read',
  list_directory_with_sizes: 'read',
  directory_tree: 'read',
  search_files: 'read',
  get_file_info: 'read',
  list_allowed_directories: 'read',
};

/** What the assistant of the page is made of. */
export interface ChatAssistantParts {
  readonly model: AssistantOptions['model'];
  readonly outbox: Outbox;
  /** The folder the file tools see; no file tools without it. */
  readonly folder: string | undefined;
  /** Besides the page's own. */
  readonly tools: readonly Tool[];
  readonly limits: AssistantOptions['limits'] | undefined;
}

export function createAssistant(parts: ChatAssistantParts): Assistant {
  const { model, outbox, folder, tools, limits } = parts;
  return new Assistant({
    model,
    instructions: `You are a concise, friendly assistant. Use the tools where they help.${folderHint(folder)}`,
    tools: [...localTools(outbox), ...tools],
    ...(folder === undefined ? {} : { mcp: { files: fileServer(folder) } }),
    ...(limits === undefined ? {} : { limits }),
  });
}

const folderHint = (folder: string | undefined) =>
  folder === undefined ? '' : ` The user's files are in ${folder}; use absolute paths.`;

function fileServer(folder: string): McpServerConfig {
  const program = import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
  const args = [fileURLToPath(program), folder];
  return { command: process.execPath, args, effects: fileEffects };
}

/** A part of what a tool gave back. */
export type ToolContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly mediaType: string; readonly bytes: Uint8Array };

/** A result in parts, as MCP servers give them. A class, so that no plain object of a user is taken for one. */
export class ToolContent {
  readonly parts: readonly ToolContentPart[];

  constructor(parts: readonly ToolContentPart[]) {
    this.parts = parts;
  }
}

import type { ContentBlock } from '@modelcontextprotocol/client';
import type { ToolContentPart } from '../tools/tool-content.ts';

/** The content blocks of a server's answer as parts: text as it is, pictures and sounds as bytes. */
export function contentParts(
  blocks: readonly ContentBlock[],
  structured: unknown,
): readonly ToolContentPart[] {
  const parts = blocks.map(contentPart);
  const hasText = parts.some((part) => part.type === 'text');
  // By the standard the text says the same as the structured result; without text it is all there is.
  if (structured !== undefined && !hasText) parts.push(text(JSON.stringify(structured)));
  return parts;
}

function contentPart(block: ContentBlock): ToolContentPart {
  switch (block.type) {
    case 'text':
      return text(block.text);
    case 'image':
    case 'audio':
      return bytes(block.data, block.mimeType);
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return text(`[resource ${resource.uri}]\n${resource.text}`);
      return bytes(resource.blob, resource.mimeType);
    }
    case 'resource_link':
      return text(`[resource ${block.uri}: ${block.description ?? block.name}]`);
    default:
      return text(JSON.stringify(block));
  }
}

const text = (value: string): ToolContentPart => ({ type: 'text', text: value });

const bytes = (base64: string, mediaType = 'application/octet-stream'): ToolContentPart => ({
  type: 'bytes',
  mediaType,
  bytes: Buffer.from(base64, 'base64'),
});

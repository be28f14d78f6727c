import type { ArtifactStore } from '../stores/artifact-store.ts';
import type { Owner } from '../stores/run-store.ts';
import { tool } from '../tools/define-tool.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import type { ArtifactPart } from './read-artifact.ts';

/** The name under which the model finds it. */
export const READ_ARTIFACT = 'read_artifact';

const PARAMETERS = {
  type: 'object',
  properties: {
    artifactId: { type: 'string', minLength: 1, maxLength: 200 },
    start: { type: 'integer', minimum: 0, description: 'First byte; 0 unless given' },
    length: { type: 'integer', minimum: 1, description: 'Bytes to read' },
    line: {
      type: 'integer',
      minimum: 1,
      description: 'First line, instead of start; the first is 1',
    },
    lines: { type: 'integer', minimum: 1, description: 'Lines to read, with line' },
  },
  required: ['artifactId'],
  additionalProperties: false,
} as const;

/** Left of the limit for the sentence behind the part. */
const SENTENCE_BYTES = 512;

/**
 * The tool with which the model reads what {@link boundResult} kept: by bytes or by lines, never more at once than a result
 * may have. It reads only what belongs to the user whose run it is.
 */
export function readArtifactTool(
  artifacts: ArtifactStore,
  limitBytes: number,
  name = READ_ARTIFACT,
): Tool {
  const most = limitBytes - SENTENCE_BYTES;
  return tool({
    name,
    description:
      'Reads a part of a large tool result that was kept as an artifact, by bytes (start, length) or by lines (line, lines). ' +
      `At most ${most} bytes at once; the answer says where the next part begins.`,
    parameters: PARAMETERS,
    effect: 'read',
    execute: async (args, context) => {
      const { readArtifact } = await import('./read-artifact.ts');
      return readArtifact(
        { artifacts, most, owner: ownerOf(context) },
        args as unknown as ArtifactPart,
      );
    },
  });
}

function ownerOf({ principal }: ToolContext): Owner {
  return { tenantId: principal.tenantId ?? 'default', userId: principal.userId };
}

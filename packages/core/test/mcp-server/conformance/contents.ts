import { completable, type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** One red pixel, and a sound of no length. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const image = { type: 'image', data: PNG, mimeType: 'image/png' } as const;

/** Contents of other kinds than text: tools, resources and prompts of the SDK. */
export function addContents(server: McpServer): void {
  addTools(server);
  addResources(server);
  addPrompts(server);
}

function addTools(server: McpServer): void {
  server.registerTool('test_image_content', { description: 'An image' }, () => ({
    content: [image],
  }));
  server.registerTool('test_audio_content', { description: 'A sound' }, () => ({
    content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  }));
  const embedded = {
    uri: 'test://embedded-resource',
    mimeType: 'text/plain',
    text: 'This is an embedded resource content.',
  };
  server.registerTool('test_embedded_resource', { description: 'A resource' }, () => ({
    content: [{ type: 'resource', resource: embedded }],
  }));
  const mixed = {
    uri: 'test://mixed-content-resource',
    mimeType: 'application/json',
    text: '{"test":"data","value":123}',
  };
  server.registerTool('test_multiple_content_types', { description: 'All of them' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      { type: 'resource', resource: mixed },
    ],
  }));
}

function addResources(server: McpServer): void {
  const add = (
    name: string,
    uri: string,
    mimeType: string,
    body: { text: string } | { blob: string },
  ) =>
    server.registerResource(name, uri, { mimeType }, () => ({
      contents: [{ uri, mimeType, ...body }],
    }));
  add('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  add('static-binary', 'test://static-binary', 'image/png', { blob: PNG });
  add('watched', 'test://watched-resource', 'text/plain', { text: 'watched' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { mimeType: 'application/json' },
    ({ href }, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` });
      return { contents: [{ uri: href, mimeType: 'application/json', text }] };
    },
  );
}

function addPrompts(server: McpServer): void {
  const says = (text: string) => ({ role: 'user', content: { type: 'text', text } }) as const;
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () => ({
    messages: [says('This is a simple prompt for testing.')],
  }));
  const word = () => completable(z.string(), () => ['paris', 'park', 'party']);
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Two arguments', argsSchema: z.object({ arg1: word(), arg2: word() }) },
    ({ arg1, arg2 }) => ({
      messages: [says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
    }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const text = 'Embedded resource content for testing.';
      const content = {
        type: 'resource',
        resource: { uri, mimeType: 'text/plain', text },
      } as const;
      return {
        messages: [{ role: 'user', content }, says('Please process the embedded resource above.')],
      };
    },
  );
  server.registerPrompt('test_prompt_with_image', { description: 'An image' }, () => ({
    messages: [{ role: 'user', content: image }, says('Please analyze the image above.')],
  }));
}

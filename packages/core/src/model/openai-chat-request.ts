import type { AssistantMessage, ContentPart, Message, MessageToolCall } from '../events/message.ts';
import type { Json, JsonObject } from '../internal/json.ts';
import type { ModelRequest, ToolDefinition } from './model-client.ts';
import { writeBody } from './request-body.ts';
import type { RequestSettings } from './request-settings.ts';
import { ToolJson } from './tool-json.ts';

/** Makes the writer of Chat Completions requests. */
export function chatRequests(settings: RequestSettings): (asked: ModelRequest) => string {
  const tools = new ToolJson((tool) => chatTool(tool, settings.strict));
  return (asked) =>
    writeBody(asked, {
      own: {
        model: settings.model,
        messages: chatMessages(asked, settings),
        stream: true,
        stream_options: { include_usage: true },
        max_completion_tokens: asked.maxOutputTokens,
        response_format: responseFormat(asked, settings),
      },
      request: settings.request,
      tools,
      toolChoice: toolChoice(asked),
    });
}

function chatTool(
  { name, description, parameters }: ToolDefinition,
  strict: boolean | undefined,
): JsonObject {
  return {
    type: 'function',
    function: { name, description, parameters, ...(strict ? { strict } : {}) },
  };
}

function toolChoice({ toolChoice }: ModelRequest): Json | undefined {
  if (typeof toolChoice !== 'object') return toolChoice;
  return { type: 'function', function: { name: toolChoice.name } };
}

function responseFormat(
  { output }: ModelRequest,
  { strict = true }: RequestSettings,
): Json | undefined {
  if (output === undefined) return undefined;
  return { type: 'json_schema', json_schema: { name: output.name, schema: output.schema, strict } };
}

function chatMessages(asked: ModelRequest, { systemRole }: RequestSettings): Json[] {
  const messages: Json[] = [];
  if (asked.instructions) messages.push({ role: systemRole, content: asked.instructions });
  for (const message of asked.messages) {
    const said = message.role === 'assistant' ? message.verbatim : undefined;
    if (said?.api === 'chat') messages.push(...said.items);
    else if (message.role === 'system')
      messages.push({ role: systemRole, content: message.content });
    else messages.push(chatMessage(message));
  }
  return messages;
}

/** One message as Chat Completions has it. */
export function chatMessage(
  message: Exclude<Message, { role: 'system' }>,
): Record<string, Json | undefined> {
  if (message.role === 'tool') {
    return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  }
  if (message.role === 'assistant') return assistantMessage(message);
  const { content } = message;
  return { role: 'user', content: typeof content === 'string' ? content : content.map(chatPart) };
}

function assistantMessage({ content, refusal, toolCalls = [] }: AssistantMessage) {
  const calls = toolCalls.map(chatToolCall);
  return {
    role: 'assistant',
    // Empty content beside calls or a refusal is refused by some and ignored by none as `null`.
    content: content === '' && (calls.length > 0 || refusal !== undefined) ? null : content,
    ...(refusal === undefined ? {} : { refusal }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function chatToolCall({ id, name, argumentsText, custom }: MessageToolCall): Json {
  if (custom) return { id, type: 'custom', custom: { name, input: argumentsText } };
  return { id, type: 'function', function: { name, arguments: argumentsText || '{}' } };
}

function chatPart(part: ContentPart): Json {
  if (part.type === 'text') return { type: 'text', text: part.text };
  if (part.type === 'image') {
    return {
      type: 'image_url',
      image_url: { url: part.url, ...(part.detail ? { detail: part.detail } : {}) },
    };
  }
  const { filename, data, fileId } = part;
  return { type: 'file', file: { filename, file_data: data, file_id: fileId } };
}

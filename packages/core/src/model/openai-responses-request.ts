import type { AssistantMessage, ContentPart, Message, MessageToolCall } from '../events/message.ts';
import { isRecord, type Json, type JsonObject } from '../internal/json.ts';
import type { ModelRequest, ToolDefinition } from './model-client.ts';
import { hostParameter, writeBody } from './request-body.ts';
import type { RequestSettings } from './request-settings.ts';
import { ToolJson } from './tool-json.ts';

/** Makes the writer of Responses requests. */
export function responsesRequests(settings: RequestSettings): (asked: ModelRequest) => string {
  const { model, request, strict = false, background } = settings;
  const tools = new ToolJson((tool) => responsesTool(tool, strict));
  return (asked) =>
    writeBody(asked, {
      own: {
        model,
        instructions: asked.instructions,
        input: unsent(asked, request).flatMap(inputItems),
        stream: true,
        background: background || undefined,
        max_output_tokens: asked.maxOutputTokens,
      },
      request: { ...request, ...textFormat(asked, settings) },
      tools,
      toolChoice: toolChoice(asked),
    });
}

/** The API takes a tool without `strict` for a strict one, so it is always said. */
function responsesTool(
  { name, description, parameters }: ToolDefinition,
  strict: boolean,
): JsonObject {
  return { type: 'function', name, description, parameters, strict };
}

function toolChoice({ toolChoice }: ModelRequest): Json | undefined {
  return typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice;
}

/** `text` holds the format and what the host may set beside it, such as `verbosity`. */
function textFormat(
  { output }: ModelRequest,
  { request, strict = true }: RequestSettings,
): JsonObject {
  if (output === undefined) return {};
  const format = { type: 'json_schema', name: output.name, schema: output.schema, strict };
  return { text: { format, ...(isRecord(request['text']) ? request['text'] : {}) } };
}

/** With `previous_response_id` the provider holds everything up to that response, the last that the model said. */
function unsent(asked: ModelRequest, request: JsonObject): readonly Message[] {
  if (!hostParameter(asked, request, 'previous_response_id')) return asked.messages;
  return asked.messages.slice(asked.messages.findLastIndex(({ role }) => role === 'assistant') + 1);
}

function inputItems(message: Message): readonly Json[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user':
      return [{ role: 'user', content: userContent(message.content) }];
    case 'tool':
      return [
        {
          type: message.custom ? 'custom_tool_call_output' : 'function_call_output',
          call_id: message.toolCallId,
          output: message.content,
        },
      ];
    case 'assistant':
      return message.verbatim?.api === 'responses'
        ? message.verbatim.items
        : assistantItems(message);
  }
}

function userContent(content: string | readonly ContentPart[]): Json {
  return typeof content === 'string' ? content : content.map(inputPart);
}

function inputPart(part: ContentPart): Json {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  if (part.type === 'image') {
    return { type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' };
  }
  const { filename, data, fileId } = part;
  return { type: 'input_file', filename, file_data: data, file_id: fileId };
}

function assistantItems({ content, refusal, toolCalls = [] }: AssistantMessage): Json[] {
  const items: Json[] = [];
  if (refusal !== undefined)
    items.push({ role: 'assistant', content: refusedContent(content, refusal) });
  else if (content !== '') items.push({ role: 'assistant', content });
  return [...items, ...toolCalls.map(callItem)];
}

function refusedContent(text: string, refusal: string): Json {
  const refused = { type: 'refusal', refusal };
  return text === '' ? [refused] : [{ type: 'output_text', text }, refused];
}

function callItem({ id, name, argumentsText, custom }: MessageToolCall): Json {
  if (custom) return { type: 'custom_tool_call', call_id: id, name, input: argumentsText };
  return { type: 'function_call', call_id: id, name, arguments: argumentsText || '{}' };
}

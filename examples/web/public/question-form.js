// The form in which a tool, or its server, asks the person something: by the JSON Schema of the answer it wants, flat as in
// MCP's elicitation, or with an address to go to.
import { html, visible } from './html.js';

/** @typedef {import('./html.js').SafeHtml} SafeHtml */
/** @typedef {import('./run-view.js').QuestionPart} QuestionPart */
/** @typedef {Record<string, unknown>} Schema */

/**
 * @param {unknown} value
 * @returns {Schema}
 */
const objectOf = (value) =>
  typeof value === 'object' && value !== null ? /** @type {Schema} */ (value) : {};
/**
 * @param {unknown} value
 * @returns {readonly unknown[]}
 */
const listOf = (value) => (Array.isArray(value) ? value : []);
/** @param {unknown} value */
function textOf(value) {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * @param {QuestionPart} part
 * @returns {readonly (readonly [name: string, schema: Schema])[]}
 */
const fieldsOf = ({ schema }) =>
  Object.entries(objectOf(schema?.['properties'])).map(([name, field]) => [name, objectOf(field)]);

/**
 * What may be chosen, with its names.
 * @param {Schema} schema
 * @returns {readonly (readonly [value: string, title: string])[]}
 */
function choicesOf(schema) {
  const titled = listOf(schema['oneOf'] ?? schema['anyOf']).map(objectOf);
  if (titled.length > 0) {
    return titled.map((each) => [textOf(each['const']), textOf(each['title'] ?? each['const'])]);
  }
  const names = listOf(schema['enumNames']);
  return listOf(schema['enum']).map((value, at) => [textOf(value), textOf(names[at] ?? value)]);
}

/** @type {Record<string, string>} the kind of input by the format of a text */
const inputTypes = { email: 'email', uri: 'url', date: 'date', 'date-time': 'datetime-local' };

/** @param {Schema} schema */
const isNumber = ({ type }) => type === 'number' || type === 'integer';

/**
 * Attributes that are there only when the schema says so.
 * @param {readonly (readonly [name: string, value: unknown])[]} pairs
 */
const attributes = (pairs) =>
  html`${pairs.flatMap(([name, value]) =>
    value === undefined || value === false
      ? []
      : [html` ${name}="${value === true ? '' : textOf(value)}"`],
  )}`;

/**
 * @param {Schema} schema
 * @param {SafeHtml} common
 */
function inputOf(schema, common) {
  const { type, default: preset } = schema;
  const isList = type === 'array';
  const choices = choicesOf(isList ? objectOf(schema['items']) : schema);
  if (choices.length > 0) {
    const chosen = listOf(isList ? preset : [preset]).map(textOf);
    const options = choices.map(
      ([value, title]) =>
        html`<option value="${value}"${attributes([['selected', chosen.includes(value)]])}>${visible(title)}</option>`,
    );
    const none = isList ? null : html`<option value=""></option>`;
    return html`<select${common}${attributes([['multiple', isList]])}>${none}${options}</select>`;
  }
  if (type === 'boolean') {
    return html`<input type="checkbox"${common}${attributes([['checked', preset === true]])}>`;
  }
  if (isNumber(schema)) {
    const limits = attributes([
      ['min', schema['minimum']],
      ['max', schema['maximum']],
      ['step', type === 'integer' ? 1 : 'any'],
      ['value', preset],
    ]);
    return html`<input type="number"${common}${limits}>`;
  }
  const limits = attributes([
    ['minlength', schema['minLength']],
    ['maxlength', schema['maxLength']],
    ['value', preset],
  ]);
  return html`<input type="${inputTypes[textOf(schema['format'])] ?? 'text'}"${common}${limits}>`;
}

/** @param {QuestionPart} part */
function formFields(part) {
  const required = listOf(part.schema?.['required']);
  return fieldsOf(part).map(([name, schema], at) => {
    const id = `${part.key}-${at}`;
    const hint = textOf(schema['description']);
    const common = attributes([
      ['id', id],
      ['name', `field-${at}`],
      ['required', schema['type'] !== 'boolean' && required.includes(name)],
      ['aria-describedby', hint !== '' && `${id}-hint`],
    ]);
    const told = hint && html`<span class="quiet" id="${id}-hint">${visible(hint)}</span>`;
    return html`<div class="field"><label for="${id}">${visible(textOf(schema['title'] ?? name))}</label
      >${inputOf(schema, common)}${told}</div>`;
  });
}

/** @param {QuestionPart} part */
function questionBody(part) {
  if (part.url !== null) {
    const isLink = URL.canParse(part.url) && /^https?:$/.test(new URL(part.url).protocol);
    // Shown whole: a person should see where it leads.
    const address = html`<bdi>${visible(part.url)}</bdi>`;
    return html`<p>${isLink ? html`<a href="${part.url}" target="_blank" rel="noopener noreferrer">${address}</a>` : address}</p>`;
  }
  const fields = formFields(part);
  if (fields.length > 0) return html`${fields}`;
  return html`<div class="field"><label for="${part.key}-0">Your answer</label
    ><textarea id="${part.key}-0" name="field-0" rows="2" required></textarea></div>`;
}

/**
 * The question with its form, as long as it can be answered here.
 * @param {QuestionPart} part
 */
export function questionHtml(part) {
  const asks = html`<span class="tool-name"><span class="server">${visible(part.server)}</span></span> ${visible(part.message)}`;
  if (part.answered) {
    return html`<div class="question-form" data-part="${part.key}"><p>${asks}</p><p class="quiet">Your answer was sent.</p></div>`;
  }
  const send = part.url === null ? 'Send' : 'I have been there';
  return html`<form class="question-form" data-part="${part.key}">
    <fieldset><legend>${asks}</legend>${questionBody(part)}
      <p class="buttons"><button type="button" data-action="declineQuestion">Decline</button
      ><button type="submit" class="primary">${send}</button></p></fieldset>
  </form>`;
}

/**
 * @param {Schema} schema
 * @param {readonly string[]} texts what the form has under its name
 */
function typedValue(schema, texts) {
  const [text = ''] = texts;
  if (schema['type'] === 'boolean') return texts.length > 0;
  if (schema['type'] === 'array') return texts;
  if (text === '') return undefined;
  if (isNumber(schema)) return Number(text);
  return schema['format'] === 'date-time' ? new Date(text).toISOString() : text;
}

/**
 * The answer in a form, as its schema wants it; what was left empty is left out.
 * @param {QuestionPart} part
 * @param {FormData} data
 * @returns {unknown}
 */
export function answerIn(part, data) {
  if (part.url !== null) return true;
  const fields = fieldsOf(part);
  if (fields.length === 0) return textOf(data.get('field-0'));
  const answer = fields.map(([name, schema], at) => [
    name,
    typedValue(schema, data.getAll(`field-${at}`).map(textOf)),
  ]);
  return Object.fromEntries(answer.filter(([, value]) => value !== undefined));
}

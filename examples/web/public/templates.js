// The pieces of the page that the server renders first and the browser renders again as events arrive.
import { html, visible } from './html.js';
import { questionHtml } from './question-form.js';

/** @typedef {import('./html.js').SafeHtml} SafeHtml */
/** @typedef {import('./run-view.js').RunView} RunView */
/** @typedef {import('./run-view.js').Part} Part */
/** @typedef {import('./run-view.js').ToolPart} ToolPart */
/** @typedef {{ to: string, subject: string, body: string, at: number }} Mail */

/** @type {Record<ToolPart['state'], string>} */
const stateLabels = {
  planned: 'Planned',
  waiting: 'Needs your approval',
  approved: 'Approved',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  declined: 'Not run',
  unknown: 'Outcome unknown',
};

/** @param {string} tool `server__name`, or a plain name */
function toolName(tool) {
  const [server, ...rest] = tool.split('__');
  if (rest.length === 0) return html`<code>${visible(tool)}</code>`;
  return html`<span class="server">${visible(server ?? '')}</span><code>${visible(rest.join('__'))}</code>`;
}

/**
 * The arguments, all of them, each in a box of its own so that one cannot pose as another.
 * @param {unknown} args
 */
function argumentList(args) {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return html`<pre>${visible(JSON.stringify(args, null, 2))}</pre>`;
  }
  const entries = Object.entries(args);
  if (entries.length === 0) return html`<p class="quiet">No arguments.</p>`;
  const rows = entries.map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
    return html`<div><dt>${visible(name)}</dt><dd>${visible(text)}</dd></div>`;
  });
  return html`<dl class="arguments">${rows}</dl>`;
}

/** @param {ToolPart} part */
function toolResult(part) {
  if (part.result === null) return null;
  const artifact =
    part.artifact &&
    html`<p class="quiet">Kept whole as an artifact: ${part.artifact.bytes.toLocaleString('en')} bytes,
      ${part.artifact.mediaType}. The model read the part shown here.</p>`;
  return html`<h4>Result</h4>${artifact}<pre tabindex="0">${visible(part.result)}</pre>`;
}

/** @param {ToolPart} part */
function toolCard(part) {
  const review =
    part.state === 'waiting' &&
    html`<p class="review"><button type="button" class="primary" data-action="review" value="${part.key}">Review and decide</button></p>`;
  const state = stateLabels[part.state];
  const told =
    part.approved && part.state !== 'approved' ? `Approved, ${state.toLowerCase()}` : state;
  const label = part.note ? `${told}: ${part.note}` : told;
  return html`<div class="tool" data-part="${part.key}" data-state="${part.state}">
    <details>
      <summary><span class="dot" aria-hidden="true"></span><span class="tool-name">${toolName(part.tool)}</span
        ><span class="tool-state">${visible(label)}</span></summary>
      <div class="tool-body"><h4>Arguments</h4>${argumentList(part.args)}${toolResult(part)}</div>
    </details>${review}
  </div>`;
}

/** @param {Part} part */
export function partHtml(part) {
  if (part.kind === 'tool') return toolCard(part);
  if (part.kind === 'question') return questionHtml(part);
  return html`<div class="prose" data-part="${part.key}" data-markdown>${part.text}</div>`;
}

/**
 * Whether a run ended well without a word.
 * @param {RunView} view
 */
const isSilent = ({ state, parts }) =>
  state === 'complete' && !parts.some((part) => part.kind === 'text' && part.text.trim() !== '');

/** @param {RunView} view */
export function outcomeHtml(view) {
  const notice = view.notice ?? (isSilent(view) ? 'The model gave no answer.' : null);
  if (notice === null) return html``;
  const retry =
    (view.state === 'error' || view.state === 'stalled' || view.state === 'cancelled') &&
    html`<button type="button" data-action="retry">Try again</button>`;
  return html`<p class="notice" data-state="${view.state}"><span>${visible(notice)}</span>${retry}</p>`;
}

/** @param {RunView} view */
export function runHtml(view) {
  const open = view.state === 'open';
  return html`<article class="run" data-run="${view.runId}" data-state="${view.state}">
    <h3 class="unseen">You</h3>
    <div class="question" dir="auto">${view.question}</div>
    <h3 class="unseen">Steward</h3>
    <div class="answer" aria-busy="${String(open)}">
      <div class="parts">${view.parts.map(partHtml)}</div>
      <p class="working"${open ? html`` : html` hidden`}><span class="pulse" aria-hidden="true"></span><span class="unseen">Working</span></p>
      <div class="outcome">${outcomeHtml(view)}</div>
    </div>
  </article>`;
}

/**
 * @param {{ conversationId: string, title: string }} conversation
 * @param {boolean} current
 */
export const conversationLink = ({ conversationId, title }, current) =>
  html`<li><a href="/c/${encodeURIComponent(conversationId)}" dir="auto"${current ? html` aria-current="page"` : html``}>${title}</a></li>`;

/** @param {readonly Mail[]} mails the newest first */
export function outboxHtml(mails) {
  if (mails.length === 0) return html`<p class="quiet">Nothing sent yet.</p>`;
  const rows = mails.map(
    (mail) => html`<li><details><summary><span dir="auto">${visible(mail.subject)}</span
      ><span class="quiet">to ${visible(mail.to)}</span></summary><p class="mail-body" dir="auto">${visible(mail.body)}</p></details></li>`,
  );
  return html`<ul class="mails">${rows}</ul>`;
}

/** @type {Record<import('@steward/core').ServerState['status'], string>} */
const serverLabels = {
  idle: 'starts when needed',
  connecting: 'starting',
  ready: 'ready',
  failed: 'not available',
  unauthorized: 'you have to sign in',
  closed: 'reconnects when needed',
};

/** @param {readonly Pick<import('@steward/core').ServerState, 'name' | 'status' | 'tools'>[]} servers */
export const serversHtml = (servers) =>
  html`${servers.map(
    ({
      name,
      status,
      tools,
    }) => html`<li data-state="${status}"><span class="dot" aria-hidden="true"></span
      >${name}<span class="quiet">${serverLabels[status]}${tools > 0 ? `, ${tools} tools` : ''}</span></li>`,
  )}`;

/** @param {ToolPart} part */
export const confirmationHtml = (part) =>
  html`<p>The assistant wants to use <span class="tool-name">${toolName(part.tool)}</span>
    with exactly these arguments. It runs once, and only if you approve.</p>${argumentList(part.args)}`;

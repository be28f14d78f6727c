// The page's script: sends messages, follows runs, keeps the sides up to date.
import { post } from './api.js';
import { ConfirmationDialog } from './confirmation.js';
import { byId, elementOf, within } from './dom.js';
import { sendAnswer } from './questions.js';
import { RunPanel } from './run-panel.js';
import { openView } from './run-view.js';
import { conversationLink, outboxHtml, runHtml, serversHtml } from './templates.js';

const conversationId = document.body.dataset['conversation'] ?? '';
const runs = byId('runs', HTMLElement);
const main = byId('conversation', HTMLElement);
const form = byId('composer', HTMLFormElement);
const message = byId('message', HTMLTextAreaElement);
const send = byId('send', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const status = byId('status', HTMLElement);

/** @param {string} text */
const tell = (text) => {
  status.textContent = text;
};
const dialog = new ConfirmationDialog(tell);

/** @type {Map<string, RunPanel>} */
const panels = new Map();
const openPanel = () => [...panels.values()].find((panel) => panel.isOpen);

const oneAtATime = 'One answer at a time: wait for this one, or stop it.';

/** @type {import('./run-panel.js').RunListener} */
const listener = {
  changed(panel) {
    dialog.update(panel);
    showBusy();
    if (panel.isOpen) return;
    if (status.textContent === oneAtATime) tell('');
    void refreshSide();
  },
  happened(_panel, event) {
    if (event.type === 'tool_result') void refreshSide();
  },
  status: tell,
};

/** @param {HTMLElement} element */
function follow(element) {
  const panel = new RunPanel(element, listener);
  panels.set(panel.view.runId, panel);
  showBusy();
}

function showBusy() {
  const busy = openPanel() !== undefined;
  const stopHadFocus = document.activeElement === stop;
  send.hidden = busy;
  stop.hidden = !busy;
  if (!busy && stopHadFocus) message.focus();
}

/** The outbox and the state of the servers, which runs change. */
async function refreshSide() {
  const response = await fetch('/api/side').catch(() => null);
  if (!response?.ok) return;
  const { mails, servers } = await response.json();
  byId('outbox', HTMLElement).innerHTML = outboxHtml(mails).markup;
  byId('servers', HTMLElement).innerHTML = serversHtml(servers).markup;
}

// The same text sent again after a failure is the same request: it cannot run twice.
/** @type {{ text: string, requestId: string } | null} */
let unsent = null;

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it was taken
 */
async function ask(text) {
  if (openPanel() || send.disabled) return false;
  if (unsent?.text !== text) unsent = { text, requestId: crypto.randomUUID() };
  send.disabled = true;
  try {
    const { runId } = await post('/api/runs', { conversationId, ...unsent });
    unsent = null;
    tell('');
    show(String(runId), text);
    return true;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return false;
  } finally {
    send.disabled = false;
  }
}

/**
 * @param {string} runId
 * @param {string} text
 */
function show(runId, text) {
  byId('welcome', HTMLElement).hidden = true;
  if (runs.childElementCount === 0) {
    const link = conversationLink({ conversationId, title: text.slice(0, 60) }, true);
    byId('conversations', HTMLElement).prepend(elementOf(link));
    document.title = `${text.slice(0, 60)} - Steward`;
    history.replaceState(null, '', `/c/${encodeURIComponent(conversationId)}`);
  }
  const element = elementOf(runHtml(openView(runId, text)));
  runs.append(element);
  follow(element);
  pinned = true;
  scrollDown();
}

async function sendMessage() {
  const text = message.value.trim();
  if (text === '') return;
  if (openPanel()) tell(oneAtATime);
  else if (await ask(text)) message.value = '';
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void sendMessage();
});

message.addEventListener('keydown', (event) => {
  // While a word is composed (Japanese, Chinese, ...), Enter belongs to the keyboard.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener('keydown', (event) => {
  const elsewhere = document.querySelector('dialog[open], :popover-open');
  if (event.key === 'Escape' && !elsewhere && openPanel()) stop.click();
});

stop.addEventListener('click', () => {
  const panel = openPanel();
  if (!panel) return;
  const path = `/api/runs/${encodeURIComponent(panel.view.runId)}/cancel`;
  post(path, {}).catch((error) => tell(error.message));
});

/**
 * @param {HTMLFormElement} asked by a tool
 * @param {{ isDeclined: boolean }} how
 */
function answer(asked, { isDeclined }) {
  const panel = panels.get(asked.closest('article')?.dataset['run'] ?? '');
  if (panel) void sendAnswer(panel, asked, { isDeclined, tell });
}

/** @type {Record<string, (button: HTMLButtonElement, panel: RunPanel | undefined) => unknown>} what buttons do */
const actions = {
  suggestion: (button) => ask(button.textContent),
  retry: (_button, panel) => panel && ask(panel.view.question),
  review: (button, panel) => panel && dialog.ask(panel, button.value),
  declineQuestion: ({ form }) => form && answer(form, { isDeclined: true }),
};

document.addEventListener('click', (event) => {
  const button = event.target instanceof Element && event.target.closest('button[data-action]');
  if (!(button instanceof HTMLButtonElement)) return;
  const panel = panels.get(button.closest('article')?.dataset['run'] ?? '');
  actions[button.dataset['action'] ?? '']?.(button, panel);
});

runs.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLFormElement) answer(event.target, { isDeclined: false });
});

// The end of the conversation stays in sight while it grows, unless the person scrolled away from it.
const nearEnd = 48;
let pinned = true;
let lastTop = 0;
const scrollDown = () => {
  if (pinned) main.scrollTop = main.scrollHeight;
};
main.addEventListener('scroll', () => {
  const isNear = main.scrollHeight - main.scrollTop - main.clientHeight < nearEnd;
  if (isNear) pinned = true;
  else if (main.scrollTop < lastTop) pinned = false;
  lastTop = main.scrollTop;
});
new ResizeObserver(scrollDown).observe(runs);

for (const element of runs.querySelectorAll('article')) follow(element);
scrollDown();
within(document, '#composer').dataset['ready'] = '';

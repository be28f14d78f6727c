// One run on the page: reads its events and shows them, at most once per frame.
import { byId, elementOf, within } from './dom.js';
import { showMarkdown } from './markdown.js';
import { applyEvent, openView, toolPart } from './run-view.js';
import { outcomeHtml, partHtml } from './templates.js';

/** @typedef {import('./run-view.js').RunView} RunView */
/** @typedef {import('./run-view.js').Part} Part */
/** @typedef {import('@steward/core').RunEvent} RunEvent */

/**
 * What the rest of the page wants to know of a run.
 * @typedef {object} RunListener
 * @property {(panel: RunPanel) => void} changed a call began or stopped waiting, or the run ended
 * @property {(panel: RunPanel, event: RunEvent) => void} happened
 * @property {(text: string) => void} status
 */

export class RunPanel {
  /** @type {RunView} */
  view;
  /** @type {EventSource | null} */
  #source = null;
  /** @type {Set<string>} */
  #dirty = new Set();
  /** @type {Map<string, HTMLElement>} the elements of the parts */
  #shown = new Map();
  #frame = 0;

  /**
   * @param {HTMLElement} element as `runHtml` makes it
   * @param {RunListener} listener
   */
  constructor(element, listener) {
    this.element = element;
    this.listener = listener;
    const question = within(element, '.question').textContent;
    this.view = openView(element.dataset['run'] ?? '', question);
    for (const prose of element.querySelectorAll('[data-markdown]')) {
      showMarkdown(prose, prose.textContent);
    }
    if (element.dataset['state'] === 'open') this.#follow();
    else this.view.state = /** @type {RunView['state']} */ (element.dataset['state']);
  }

  get isOpen() {
    return this.view.state === 'open';
  }

  /** The calls that wait for a person. */
  get waiting() {
    return this.view.parts.filter((part) => part.kind === 'tool' && part.state === 'waiting');
  }

  /** What tools ask, and nobody answered here. */
  get questions() {
    return this.view.parts.filter((part) => part.kind === 'question').filter((q) => !q.answered);
  }

  /** How many things a person is asked. */
  get #asked() {
    return this.waiting.length + this.questions.length;
  }

  /** @param {import('./run-view.js').QuestionPart} question that the person answered */
  answered(question) {
    question.answered = true;
    this.#dirty.add(question.key);
    this.#render();
  }

  /** @param {string} callId */
  call(callId) {
    return toolPart(this.view, callId);
  }

  #follow() {
    const source = new EventSource(`/api/runs/${encodeURIComponent(this.view.runId)}/events`);
    this.#source = source;
    source.addEventListener('open', () => this.listener.status(''));
    source.addEventListener('message', (message) => this.#take(JSON.parse(message.data)));
    source.addEventListener('error', () => {
      if (!this.isOpen) return;
      if (source.readyState === EventSource.CLOSED) this.#lost();
      else this.listener.status('Connection lost. Reconnecting…');
    });
  }

  /** @param {RunEvent} event */
  #take(event) {
    const before = this.#asked;
    const changed = applyEvent(this.view, event);
    this.listener.happened(this, event);
    if (changed === undefined) return;
    this.#dirty.add(changed ?? '*');
    if (!this.isOpen) this.#source?.close();
    // A page in the background gets no frames, and a person may be waited for.
    if (!this.isOpen || this.#asked !== before) {
      this.#render();
      this.listener.changed(this);
    } else {
      this.#frame ||= requestAnimationFrame(() => this.#render());
    }
  }

  /** The server does not know this run any more: it was started anew. */
  #lost() {
    this.view.state = 'error';
    this.view.notice = 'The server lost this answer. What came is kept here.';
    this.listener.status('');
    this.#render();
    this.listener.changed(this);
  }

  #render() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const all = this.#dirty.has('*');
    const keys = new Set(this.view.parts.map((part) => part.key));
    for (const [key, old] of this.#shown) {
      if (keys.has(key)) continue;
      const hadFocus = old.contains(document.activeElement);
      old.remove();
      this.#shown.delete(key);
      if (hadFocus) focusMessage();
    }
    for (const part of this.view.parts) {
      if (all || this.#dirty.has(part.key)) this.#renderPart(part);
    }
    this.#dirty.clear();
    this.#renderState();
  }

  /** @param {Part} part */
  #renderPart(part) {
    const old = this.#shown.get(part.key);
    if (part.kind === 'text') {
      showMarkdown(old ?? this.#add({ ...part, text: '' }), part.text);
    } else if (old) {
      const replace = part.kind === 'tool' ? replaceCard : replaceQuestion;
      this.#shown.set(part.key, replace(old, elementOf(partHtml(part))));
    } else {
      this.#add(part);
    }
  }

  /** @param {Part} part */
  #add(part) {
    const element = elementOf(partHtml(part));
    within(this.element, '.parts').append(element);
    this.#shown.set(part.key, element);
    return element;
  }

  #renderState() {
    this.element.dataset['state'] = this.view.state;
    const idle = this.#asked > 0 || !this.isOpen;
    within(this.element, '.working').hidden = idle;
    within(this.element, '.answer').setAttribute('aria-busy', String(this.isOpen && !idle));
    within(this.element, '.outcome').innerHTML = outcomeHtml(this.view).markup;
  }
}

/**
 * Puts a card in the place of an older one of the same call: it stays open, and keeps the focus.
 * @param {HTMLElement} old
 * @param {HTMLElement} card
 */
function replaceCard(old, card) {
  within(card, 'details').toggleAttribute('open', old.querySelector('details')?.open ?? false);
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(card);
  if (hadFocus) within(card, 'summary').focus();
  return card;
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} question
 */
function replaceQuestion(old, question) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(question);
  if (hadFocus) focusMessage();
  return question;
}

/** Where the keyboard goes when what it was in is gone. */
const focusMessage = () => byId('message', HTMLTextAreaElement).focus();

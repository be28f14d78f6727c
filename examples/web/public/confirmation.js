// The dialog that asks before something is done. What it shows comes from the event that asked, never from the model's text.
import { post, RequestError } from './api.js';
import { byId } from './dom.js';
import { confirmationHtml } from './templates.js';

/** @typedef {import('./run-panel.js').RunPanel} RunPanel */

export class ConfirmationDialog {
  #dialog = byId('confirmation', HTMLDialogElement);
  #body = byId('confirmation-body', HTMLElement);
  /** @type {{ panel: RunPanel, callId: string } | null} */
  #asked = null;
  /** @type {Set<string>} put off by the person: only asked again when they want */
  #later = new Set();
  /** @type {Set<string>} decided, though the event that says so may still be on its way */
  #decided = new Set();
  /** @type {(text: string) => void} */
  #tell;

  /** @param {(text: string) => void} tell shows what went wrong */
  constructor(tell) {
    this.#tell = tell;
    byId('approve', HTMLButtonElement).addEventListener('click', () => void this.#decide(true));
    byId('decline', HTMLButtonElement).addEventListener('click', () => void this.#decide(false));
    byId('later', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    // Escape, or "Decide later": nothing is decided, the card keeps its button.
    this.#dialog.addEventListener('close', () => {
      if (this.#asked) this.#later.add(this.#asked.callId);
      this.#asked = null;
    });
  }

  /**
   * Asks for the first call that waits; closes when the one it shows was decided elsewhere.
   * @param {RunPanel} panel
   */
  update(panel) {
    if (this.#asked?.panel === panel) {
      const call = panel.call(this.#asked.callId);
      if (call?.state !== 'waiting' || !panel.isOpen) this.#finish();
    }
    if (this.#asked || !panel.isOpen) return;
    const settled = this.#later.union(this.#decided);
    const next = panel.waiting.find((part) => !settled.has(part.key));
    if (next) this.ask(panel, next.key);
  }

  /**
   * @param {RunPanel} panel
   * @param {string} callId
   */
  ask(panel, callId) {
    const call = panel.call(callId);
    if (call?.state !== 'waiting') return;
    this.#asked = { panel, callId };
    this.#later.delete(callId);
    this.#body.innerHTML = confirmationHtml(call).markup;
    if (!this.#dialog.open) this.#dialog.showModal();
    // Neither button has the focus: a key pressed in the flow of typing must not decide.
    this.#body.scrollTop = 0;
    byId('confirmation-title', HTMLElement).focus();
  }

  #finish() {
    this.#asked = null;
    this.#dialog.close();
  }

  /** @param {boolean} approve */
  async #decide(approve) {
    if (!this.#asked) return;
    const { panel, callId } = this.#asked;
    const call = panel.call(callId);
    this.#finish();
    const path = `/api/runs/${encodeURIComponent(panel.view.runId)}/calls/${encodeURIComponent(callId)}/decision`;
    try {
      await post(path, { approve, argsDigest: call?.argsDigest ?? '' });
      this.#decided.add(callId);
      this.#tell('');
    } catch (error) {
      const elsewhere = error instanceof RequestError && error.code === 'already_decided';
      if (elsewhere) this.#decided.add(callId);
      const message = error instanceof Error ? error.message : String(error);
      this.#tell(elsewhere ? 'That was already decided in another window.' : message);
    }
    this.update(panel);
  }
}

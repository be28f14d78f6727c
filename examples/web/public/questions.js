// Sends what a person answers to a tool that asked.
import { post, RequestError } from './api.js';
import { answerIn } from './question-form.js';

/** @typedef {import('./run-panel.js').RunPanel} RunPanel */

/** Forms on their way. They are not disabled: that would take the focus from whoever uses the keyboard. */
const sending = new WeakSet();

/**
 * @param {RunPanel} panel
 * @param {HTMLFormElement} form
 * @param {{ isDeclined: boolean, tell: (text: string) => void }} how
 */
export async function sendAnswer(panel, form, { isDeclined, tell }) {
  const part = panel.questions.find(({ key }) => key === form.dataset['part']);
  if (!part || sending.has(form)) return;
  const content = isDeclined ? null : answerIn(part, new FormData(form));
  sending.add(form);
  const path = `/api/runs/${encodeURIComponent(panel.view.runId)}/questions/${encodeURIComponent(part.key)}/answer`;
  try {
    await post(path, { content });
    tell('');
    panel.answered(part);
  } catch (error) {
    const elsewhere = error instanceof RequestError && error.code === 'already_decided';
    const message = error instanceof Error ? error.message : String(error);
    tell(elsewhere ? 'That was already answered in another window.' : message);
    if (elsewhere) panel.answered(part);
  } finally {
    sending.delete(form);
  }
}

// Requests to our own server. What it refuses is thrown with its words.

/** What the server said against a request. */
export class RequestError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @type {Record<string, string>} what a person should read instead of what a developer should */
const messages = {
  conversation_busy: 'This chat is still answering, in another window perhaps. Reload to see it.',
  no_session: 'This browser is not known here. Allow cookies and reload.',
};

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<Record<string, unknown>>}
 */
export async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  const request = fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const response = await request.catch(() => {
    throw new RequestError('unreachable', 'The server cannot be reached. Try again.');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { code = 'internal', message = 'Something went wrong.' } = answer;
  throw new RequestError(code, messages[code] ?? message);
}

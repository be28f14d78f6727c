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
  throw new RequestError(answer.code ?? 'internal', answer.message ?? 'Something went wrong.');
}

/** Refresh tokens whose answer is remembered; each is good once. */
const MAX_REMEMBERED = 4;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Sends each refresh token once, however many requests find at the same moment that the access token has expired: all of
 * them get the one answer. Otherwise the second would be refused, and take the user's good tokens away.
 */
export class SharedRefresh {
  readonly #answers = new Map<string, Promise<Answer>>();
  readonly #refused = new Set<string>();

  /** Whether the authorization server refused this refresh token. */
  wasRefused(refreshToken: string | undefined): boolean {
    return refreshToken === undefined || this.#refused.has(refreshToken);
  }

  /** A `fetch` that shares what is asked with the same refresh token. */
  over(base: typeof fetch): typeof fetch {
    return async (input, init) => {
      const token = refreshTokenOf(init?.body);
      if (token === null) return base(input, init);
      const { status, headers, body } = await this.#answer(token, () => base(input, init));
      return new Response(body, { status, headers });
    };
  }

  #answer(token: string, send: () => Promise<Response>): Promise<Answer> {
    const known = this.#answers.get(token);
    if (known !== undefined) return known;
    const asked = this.#ask(token, send);
    this.#answers.set(token, asked);
    for (const old of [...this.#answers.keys()].slice(0, -MAX_REMEMBERED)) {
      this.#answers.delete(old);
      this.#refused.delete(old);
    }
    // A request that failed on its way may be made again.
    asked.catch(() => this.#answers.delete(token));
    return asked;
  }

  async #ask(token: string, send: () => Promise<Response>): Promise<Answer> {
    const response = await send();
    const { status, headers } = response;
    if (status >= 400 && status < 500) this.#refused.add(token);
    if (status >= 500) this.#answers.delete(token);
    return { status, headers, body: await response.text() };
  }
}

function refreshTokenOf(body: unknown): string | null {
  if (!(body instanceof URLSearchParams)) return null;
  return body.get('grant_type') === 'refresh_token' ? body.get('refresh_token') : null;
}

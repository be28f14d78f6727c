import http from 'node:http';
import https from 'node:https';
import { StewardError } from '../errors/steward-error.ts';
import { defined } from '../internal/defined.ts';
import type { Principal } from '../tools/tool.ts';
import type { RestServerConfig } from './server-config.ts';

/** A request of the contract. */
export interface RestRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** In whose name it is made. */
  readonly user?: Principal;
  /** Not over a connection that was used before, which the server may be closing at this moment. */
  readonly isDelicate?: boolean;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface RestAnswer {
  readonly status: number;
  readonly body: string;
}

/** One answer of a server, at most. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Requests to one server, on node:http because of client certificates. Redirects are answers: nobody is led elsewhere. */
export class RestHttp {
  readonly #config: RestServerConfig;
  readonly #base: URL;
  readonly #http: typeof http | typeof https;
  readonly #agent: http.Agent;

  constructor(config: RestServerConfig) {
    this.#config = config;
    this.#base = new URL(config.rest.endsWith('/') ? config.rest : `${config.rest}/`);
    this.#http = this.#base.protocol === 'https:' ? https : http;
    this.#agent = new this.#http.Agent({ keepAlive: true, ...config.tls });
  }

  async send(request: RestRequest): Promise<RestAnswer> {
    const { method, path, body, user, isDelicate = false, signal } = request;
    const url = new URL(path, this.#base);
    const headers = defined({
      ...this.#config.headers,
      'content-type': body === undefined ? undefined : 'application/json',
      authorization: await this.#token({ method, url, body, user }),
    });
    signal.throwIfAborted();
    const options = { ...this.#config.tls, method, headers, signal };
    if (isDelicate) return this.#exchange(url, { ...options, agent: false }, body);
    const again = () => this.send({ ...request, isDelicate: true });
    return this.#exchange(url, { ...options, agent: this.#agent }, body, again);
  }

  /** Sends a request and reads the answer; `again` is for a connection that the server had closed while it was idle. */
  #exchange(
    url: URL,
    options: https.RequestOptions,
    body: string | undefined,
    again?: () => Promise<RestAnswer>,
  ): Promise<RestAnswer> {
    return new Promise((resolve, reject) => {
      const request = this.#http.request(url, options);
      request.on('response', (response) => resolve(readAnswer(response)));
      request.on('error', (error: NodeJS.ErrnoException) => {
        const wasIdle = request.reusedSocket && error.code === 'ECONNRESET';
        if (wasIdle && again !== undefined) resolve(again());
        else reject(error);
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #token(request: {
    readonly method: string;
    readonly url: URL;
    readonly body: string | undefined;
    readonly user: Principal | undefined;
  }): Promise<string | undefined> {
    const { headers = {}, service } = this.#config;
    if (service === undefined) return headers['authorization'];
    const { method, url, body, user } = request;
    const token = await service.sign({ method, path: url.pathname + url.search, body, user });
    return `Bearer ${token}`;
  }
}

async function readAnswer(response: http.IncomingMessage): Promise<RestAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new StewardError('mcp_failed', `The answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

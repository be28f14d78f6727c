import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RecordedStep, WireRequest } from './recorded-episode.ts';

/** What was asked of the server. */
interface AskedRequest {
  readonly path: string;
  readonly body: WireRequest;
}

/** A loopback server that answers the n-th request with the n-th recorded answer, byte for byte. */
export class ReplayServer implements AsyncDisposable {
  readonly asked: AskedRequest[] = [];
  readonly #server: Server;

  private constructor(steps: readonly RecordedStep[]) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const step = steps[this.asked.length];
        const body = JSON.parse(Buffer.concat(chunks).toString()) as WireRequest;
        this.asked.push({ path: request.url ?? '', body });
        if (step === undefined) response.writeHead(400).end();
        else response.writeHead(step.status, step.headers).end(step.body);
      });
    });
  }

  static async start(steps: readonly RecordedStep[]): Promise<ReplayServer> {
    const replay = new ReplayServer(steps);
    await new Promise<void>((done) => replay.#server.listen(0, '127.0.0.1', done));
    return replay;
  }

  /** What stands before `/chat/completions` or `/responses` in the recorded URL, on this server. */
  baseURL({ url_path: path }: RecordedStep): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${path.replace(/\/(chat\/completions|responses)/, '')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a server counts, for Prometheus. Tools are labels only by the names that the server has. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #calls = new Counter({
    name: 'steward_mcp_tool_calls_total',
    help: 'Calls of tools by what came of them; replayed: answered from the ledger',
    labelNames: ['tool', 'outcome'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'steward_mcp_tool_call_duration_seconds',
    help: 'How long calls took that ran',
    labelNames: ['tool'],
    registers: [this.#registry],
  });
  readonly #running = new Gauge({
    name: 'steward_mcp_tool_calls_running',
    help: 'Calls that run now',
    registers: [this.#registry],
  });
  readonly #requests = new Counter({
    name: 'steward_mcp_http_requests_total',
    help: 'HTTP requests by route and status',
    labelNames: ['route', 'status'],
    registers: [this.#registry],
  });

  /** A call that was answered without running: replayed or refused. */
  answered(tool: string, outcome: 'replayed' | 'refused'): void {
    this.#calls.inc({ tool, outcome });
  }

  /** A call that starts; to be told how it ended. */
  started(tool: string): (outcome: string) => void {
    const stop = this.#seconds.startTimer({ tool });
    this.#running.inc();
    return (outcome) => {
      stop();
      this.#running.dec();
      this.#calls.inc({ tool, outcome });
    };
  }

  request(route: string, status: number): void {
    this.#requests.inc({ route, status });
  }

  /** In the text format of Prometheus. */
  async response(): Promise<Response> {
    const headers = { 'content-type': this.#registry.contentType };
    return new Response(await this.#registry.metrics(), { headers });
  }
}

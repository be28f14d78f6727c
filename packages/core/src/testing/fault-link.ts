import type { Socket } from 'node:net';
import type { NetworkFault } from './network-fault.ts';

const tickMs = 20;

/** What a link tells its proxy of. */
export interface LinkEvents {
  /** The fault in force has struck this connection. */
  readonly onStruck: () => void;
  readonly onEnded: () => void;
}

/** One connection through a proxy: two flows of bytes that share a fate. */
export class FaultLink {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #requests: Flow;
  readonly #answers: Flow;
  readonly #events: LinkEvents;
  /** For good: who has lost the other one's packets does not hear of it later either. */
  #isMute = false;
  #isStruck = false;

  constructor(client: Socket, target: Socket, events: LinkEvents) {
    this.#client = client;
    this.#target = target;
    this.#events = events;
    this.#requests = new Flow(client, target, () => this.#strike());
    this.#answers = new Flow(target, client, () => this.#strike());
    for (const socket of [client, target]) {
      socket.on('error', () => this.#isMute || this.reset());
      socket.once('close', () => this.#closed());
    }
  }

  /** Puts a fault in force for what passes from now on. */
  apply(fault: NetworkFault): void {
    if (this.#isMute) return;
    this.#isStruck = false;
    switch (fault.kind) {
      case 'reset':
      case 'refuse':
        this.#strike();
        this.reset();
        return;
      case 'half_open':
        this.#isMute = true;
        this.#strike();
        break;
      case 'hang':
        this.#strike();
    }
    this.#requests.become(requestsUnder(fault));
    this.#answers.become(answersUnder(fault));
  }

  /** Ends both sides as a process does that is killed. */
  reset(): void {
    resetSocket(this.#client);
    resetSocket(this.#target);
  }

  /** Whether the present fault has struck it. */
  get isStruck(): boolean {
    return this.#isStruck;
  }

  #strike(): void {
    if (this.#isStruck) return;
    this.#isStruck = true;
    this.#events.onStruck();
  }

  /** Whatever one side has still to be told, it is told before it goes as well. */
  #closed(): void {
    if (this.#isMute && !(this.#client.destroyed && this.#target.destroyed)) return;
    this.#requests.stop();
    this.#answers.stop();
    this.#client.destroySoon();
    this.#target.destroySoon();
    this.#events.onEnded();
  }
}

/**
 * Node cannot reset a socket while its end is under way: it would keep it open for good, and at its own end wait for it
 * at 100 % CPU.
 */
function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || isEnding) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}

type Passage =
  | { readonly kind: 'pass' | 'hold' | 'drop' | 'break' }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

function requestsUnder(fault: NetworkFault): Passage {
  if (fault.kind === 'cut' && fault.direction === 'request') return fault;
  return fault.kind === 'lose_answers' || fault.kind === 'cut' ? { kind: 'pass' } : both(fault);
}

function answersUnder(fault: NetworkFault): Passage {
  if (fault.kind === 'cut' && fault.direction === 'answer') return fault;
  if (fault.kind === 'lose_answers') return { kind: fault.silently ? 'drop' : 'break' };
  return both(fault);
}

function both(fault: NetworkFault): Passage {
  if (fault.kind === 'slow') return fault;
  if (fault.kind === 'hang') return { kind: 'hold' };
  return { kind: fault.kind === 'half_open' ? 'drop' : 'pass' };
}

/** The bytes of one direction. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #onStruck: () => void;
  #passage: Passage = { kind: 'pass' };
  /** Bytes that still pass, before a cut. */
  #left = 0;
  /** What waits for its turn when it goes slowly, and whether it is the last. */
  #late: Buffer[] = [];
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, onStruck: () => void) {
    this.#from = from;
    this.#to = to;
    this.#onStruck = onStruck;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => this.#end());
    to.on('drain', () => this.#goOn());
  }

  become(passage: Passage): void {
    this.stop();
    this.#passage = passage;
    if (passage.kind === 'cut') this.#left = passage.afterBytes;
    const late = this.#late;
    this.#late = [];
    for (const bytes of late) this.#take(bytes);
    if (this.#isOver) this.#end();
    if (passage.kind === 'hold') this.#from.pause();
    else this.#goOn();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #goOn(): void {
    if (this.#passage.kind !== 'hold' && this.#late.length === 0) this.#from.resume();
  }

  #take(bytes: Buffer): void {
    const passage = this.#passage;
    if (passage.kind === 'pass') this.#write(bytes);
    else if (passage.kind === 'hold') this.#late.push(bytes);
    else if (passage.kind === 'cut') this.#cut(bytes);
    else if (passage.kind === 'slow') this.#delay(bytes, passage.bytesPerSecond);
    else {
      this.#onStruck();
      if (passage.kind === 'break') resetSocket(this.#to);
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#to.writable) return;
    if (!this.#to.write(bytes)) this.#from.pause();
  }

  #cut(bytes: Buffer): void {
    const rest = bytes.subarray(0, this.#left);
    this.#left -= rest.length;
    this.#write(rest);
    if (this.#left > 0) return;
    this.#onStruck();
    this.#to.end();
    resetSocket(this.#from);
  }

  #delay(bytes: Buffer, bytesPerSecond: number): void {
    this.#onStruck();
    this.#late.push(bytes);
    this.#from.pause();
    const perTick = (bytesPerSecond * tickMs) / 1_000;
    let allowed = 0;
    this.#timer ??= setInterval(() => {
      allowed += perTick;
      const whole = Math.floor(allowed);
      allowed -= whole;
      this.#release(whole);
    }, tickMs);
  }

  #release(count: number): void {
    const waiting = Buffer.concat(this.#late);
    if (count > 0) this.#to.write(waiting.subarray(0, count));
    const rest = waiting.subarray(count);
    this.#late = rest.length > 0 ? [rest] : [];
    if (rest.length > 0) return;
    this.stop();
    if (this.#isOver) this.#to.end();
    else this.#goOn();
  }

  #end(): void {
    this.#isOver = true;
    if (this.#passage.kind === 'drop' || this.#late.length > 0) return;
    this.#to.end();
  }
}

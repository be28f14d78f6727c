/** A message that was sent. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
  /** Unix milliseconds. */
  readonly at: number;
}

const keptPerUser = 100;

/**
 * Where the demo's mail goes: an effect that can be seen and counted. It does not look for duplicates on purpose; that
 * nothing is sent twice is Steward's work.
 */
export class Outbox {
  readonly #mails = new Map<string, Mail[]>();

  send(userId: string, mail: Omit<Mail, 'at'>): void {
    const mails = this.#mails.get(userId) ?? [];
    mails.unshift({ ...mail, at: Date.now() });
    this.#mails.set(userId, mails.slice(0, keptPerUser));
  }

  /** The newest first. */
  list(userId: string): readonly Mail[] {
    return this.#mails.get(userId) ?? [];
  }
}

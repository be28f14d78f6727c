import type { EventId, EventStore, JSONRPCMessage, StreamId } from '@modelcontextprotocol/server';

interface Sent {
  readonly id: EventId;
  readonly streamId: StreamId;
  readonly message: JSONRPCMessage;
}

const MAX_EVENTS = 256;

/** The last messages of a session, for a client that lost a stream and takes it up again. */
export class EventHistory implements EventStore {
  readonly #sent: Sent[] = [];
  #count = 0;

  async storeEvent(streamId: StreamId, message: JSONRPCMessage): Promise<EventId> {
    this.#count += 1;
    const id = `${this.#count}`;
    this.#sent.push({ id, streamId, message });
    if (this.#sent.length > MAX_EVENTS) this.#sent.shift();
    return id;
  }

  async getStreamIdForEventId(id: EventId): Promise<StreamId | undefined> {
    return this.#sent.find((event) => event.id === id)?.streamId;
  }

  async replayEventsAfter(
    last: EventId,
    { send }: { readonly send: (id: EventId, message: JSONRPCMessage) => Promise<void> },
  ): Promise<StreamId> {
    const at = this.#sent.findIndex(({ id }) => id === last);
    const streamId = this.#sent[at]?.streamId ?? '';
    for (const event of at === -1 ? [] : this.#sent.slice(at + 1)) {
      // A message of nothing only marks where a stream begins.
      const isMessage = Object.keys(event.message).length > 0;
      if (event.streamId === streamId && isMessage) await send(event.id, event.message);
    }
    return streamId;
  }
}

/** Publishes the events of a service, as its relay does: each at least once, and never before its commit. */
import type { Message, Publisher } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';

const selectEvents: Statement = {
  name: 'simulation.select-events',
  text: `
    select event::text as event from outbox where event -> 'data' ->> 'tenant' = $1 order by xid, position`,
};

export interface OutboxOptions {
  database: Database;
  tenant: string;
  /** The mailboxes of those who listen. Each gets every event. */
  listeners: readonly string[];
}

export class Outbox {
  /** There may be events to publish. */
  isFull = false;
  private readonly published = new Set<string>();

  constructor(private readonly options: OutboxOptions) {}

  /** The stream does not have them any more. */
  republish(events: readonly Message[]): void {
    for (const { id } of events) this.published.delete(id);
    this.isFull = true;
  }

  /** Publishes what is new. */
  async publish(publisher: Publisher): Promise<void> {
    const { database, tenant, listeners } = this.options;
    this.isFull = false;
    if (listeners.length === 0) return;
    const rows = await database.query<{ event: string }>(selectEvents, [tenant]);
    const events = rows.map(({ event }) => JSON.parse(event) as Message).filter(({ id }) => !this.published.has(id));
    for (const event of events) {
      this.published.add(event.id);
      for (const mailbox of listeners) publisher.send(mailbox, event);
    }
  }
}

/** Publishes the events of the payment service, as its relay does: each at least once, and never before its commit. */
import { eventsFor, type Message, type Publisher } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';

/** The mailbox of the order service for them. */
export const PAYMENT_NEWS = eventsFor('order', 'payment');

const selectEvents: Statement = {
  name: 'simulation.select-events',
  text: `
    select event::text as event from outbox where event -> 'data' ->> 'tenant' = $1 order by xid, position`,
};

export class Outbox {
  /** There may be events to publish. */
  isFull = false;
  private readonly published = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly tenant: string,
  ) {}

  /** Publishes what is new. */
  async publish(publisher: Publisher): Promise<void> {
    this.isFull = false;
    const rows = await this.database.query<{ event: string }>(selectEvents, [this.tenant]);
    const events = rows.map(({ event }) => JSON.parse(event) as Message).filter(({ id }) => !this.published.has(id));
    for (const event of events) {
      this.published.add(event.id);
      publisher.send(PAYMENT_NEWS, event);
    }
  }
}

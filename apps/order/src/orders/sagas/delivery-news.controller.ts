/**
 * Hears that an order has arrived. Only for the view, and for a quick answer to whoever cancels too late: a saga asks the
 * fulfilment service itself. So what cannot be used is counted and dropped. An order remembers it once, so no ledger is
 * needed.
 */
import { Controller } from '@nestjs/common';
import { DeliveryDelivered, DeliveryHandedOver } from '@shop/contracts';
import { bodyOf, Consumes, type Delivery, eventsFor, type Message, Replies } from '@shop/messaging';
import { counter } from '@shop/observability';
import { Database } from '@shop/postgres';
import { markDelivered, type OrderKey } from '../orders.repository';

const dropped = counter('order_delivery_news_dropped_total', 'Events of deliveries of which no order is told', [
  'reason',
]);

@Controller()
export class DeliveryNewsController {
  constructor(private readonly database: Database) {}

  @Consumes(eventsFor('order', 'fulfilment'))
  take(deliveries: Delivery[]): Replies {
    const arrived = deliveries.flatMap(({ message }) => arrivedIn(message) ?? []);
    const done = this.write(arrived);
    return Replies.each(deliveries, () => done);
  }

  private async write(arrived: readonly OrderKey[]): Promise<undefined> {
    if (arrived.length > 0) await this.database.transaction((tx) => markDelivered(tx, arrived));
    return undefined;
  }
}

function arrivedIn(message: Message): OrderKey | undefined {
  // Nothing is done about it here.
  if (message.type === DeliveryHandedOver.type) return undefined;
  if (message.type !== DeliveryDelivered.type) return drop('other-type');
  const event = bodyOf(DeliveryDelivered, message);
  if (!event.ok) return drop('unreadable');
  const { tenant, orderId } = event.value;
  return { tenant, id: orderId.toLowerCase() };
}

function drop(reason: string): undefined {
  dropped.inc({ reason });
}

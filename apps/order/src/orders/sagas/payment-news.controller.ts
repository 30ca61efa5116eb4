/**
 * Hears that a payment which waited has its outcome. Only a hint: the charge is asked again, and its reply is the truth.
 * Without the event, the deadline of the saga does the same later. So what cannot be used is counted and dropped.
 */
import { Controller } from '@nestjs/common';
import { PaymentSettled } from '@shop/contracts';
import { bodyOf, Consumes, type Delivery, eventsFor, type Message, Replies } from '@shop/messaging';
import { counter } from '@shop/observability';
import { SagaEngine } from '@shop/saga';

const dropped = counter('order_payment_news_dropped_total', 'Events of payments that no saga could be told of', [
  'reason',
]);

@Controller()
export class PaymentNewsController {
  constructor(private readonly engine: SagaEngine) {}

  @Consumes(eventsFor('order', 'payment'))
  take(deliveries: Delivery[]): Replies {
    return Replies.each(deliveries, async ({ message, suspect }) => {
      await this.hear(message, suspect);
      return undefined;
    });
  }

  private async hear(message: Message, alone: boolean): Promise<void> {
    if (message.type !== PaymentSettled.type) return dropped.inc({ reason: 'other-type' });
    const event = bodyOf(PaymentSettled, message);
    if (!event.ok) return dropped.inc({ reason: 'unreadable' });
    const { tenant, chargeId } = event.value;
    // Money that belongs to no order.
    if (chargeId === undefined) return;
    await this.engine.hear(chargeId, tenant, { alone });
  }
}

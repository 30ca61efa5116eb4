/** Sends the events of the payment provider to the merchant, signed as Stripe signs them. The events are in the books. */
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { LOGGER } from '@shop/service';
import { Books } from '../stripe/books';
import { EventPost } from './event-post';
import type { WebhookSettings } from './webhook-settings';

export const WEBHOOKS = Symbol('WEBHOOKS');

@Injectable()
export class WebhookSender extends EventPost implements OnModuleDestroy {
  constructor(books: Books, @Inject(LOGGER) logger: Logger, @Inject(WEBHOOKS) atStart: WebhookSettings | undefined) {
    super({ header: 'stripe-signature', atStart, logger });
    books.onEntry((kept) => {
      for (const object of kept) if (object.object === 'event') this.send(object);
    });
  }

  onModuleDestroy(): void {
    this.stop();
  }
}

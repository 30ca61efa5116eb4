/** Sends an event to the shop for everything that happens to a parcel. */
import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { LOGGER } from '@shop/service';
import { EventPost } from '../webhooks/event-post';
import type { WebhookSettings } from '../webhooks/webhook-settings';
import { CarrierBooks } from './carrier-books';
import { CarrierOrigin } from './carrier-origin';
import { shipmentJson } from './shipment.view';

export const CARRIER_WEBHOOKS = Symbol('CARRIER_WEBHOOKS');

const ID_BYTES = 12;

@Injectable()
export class CarrierWebhooks extends EventPost implements OnModuleDestroy {
  constructor(
    books: CarrierBooks,
    origin: CarrierOrigin,
    @Inject(LOGGER) logger: Logger,
    @Inject(CARRIER_WEBHOOKS) atStart: WebhookSettings | undefined,
  ) {
    super({ header: 'carrier-signature', atStart, logger });
    books.onChange((shipment) => {
      const id = `evt_${randomBytes(ID_BYTES).toString('hex')}`;
      const data = { shipment: shipmentJson(shipment, origin.current()) };
      this.send(Object.assign({ id, type: `shipment.${shipment.status}` }, { data }));
    });
  }

  onModuleDestroy(): void {
    this.stop();
  }
}

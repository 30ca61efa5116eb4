/** The parts of the carrier, for the module of the sandbox. */
import type { Provider } from '@nestjs/common';
import { openJournal } from '../stripe/journal';
import { WebhookSettings } from '../webhooks/webhook-settings';
import { CarrierBooks } from './carrier-books';
import { CarrierOrigin } from './carrier-origin';
import { CarrierFaults, CarrierRules } from './carrier-settings';
import { CARRIER_WEBHOOKS, CarrierWebhooks } from './carrier-webhooks';
import { Delivering } from './delivering';

export interface CarrierOptions {
  /** So long after it was taken, a parcel has arrived. */
  deliverySeconds?: number;
  /** Where its events are sent; without it, nowhere. */
  webhooks?: { url: string; secret: string };
}

interface Options {
  file?: string;
  publicUrl?: string;
  carrier?: CarrierOptions;
}

export function carrierProviders({
  file,
  publicUrl,
  carrier: { deliverySeconds, webhooks } = {},
}: Options): Provider[] {
  const settings = deliverySeconds === undefined ? {} : { deliverySeconds };
  return [
    { provide: CarrierBooks, useFactory: () => new CarrierBooks(openJournal(file && `${file}.carrier`)) },
    { provide: CarrierOrigin, useFactory: () => new CarrierOrigin(publicUrl) },
    { provide: CarrierRules, useFactory: () => new CarrierRules(settings) },
    { provide: CARRIER_WEBHOOKS, useValue: webhooks && Object.assign(new WebhookSettings(), webhooks) },
    CarrierFaults,
    CarrierWebhooks,
    Delivering,
  ];
}

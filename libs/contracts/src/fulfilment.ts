/** The command that the fulfilment service takes, and the events that it publishes. */
import { defineCommand, defineEvent } from '@shop/messaging';
import { IsOptional, IsString, IsUUID, Matches, MaxLength, MinLength } from 'class-validator';
import { TENANT } from './limits';

/** `dlv_` and the letters of a hash. */
export const DELIVERY_ID = /^dlv_[\w-]{1,60}$/;
/** Longer than any number that a carrier gives. */
const MAX_TRACKING_LENGTH = 100;

export class StopDeliveryBody {
  @Matches(TENANT)
  tenant: string;

  @IsUUID()
  orderId: string;
}

export class DeliveryEventBody {
  @Matches(TENANT)
  tenant: string;

  /** Unique within its tenant only, since a client may choose it. */
  @IsUUID()
  orderId: string;

  @Matches(DELIVERY_ID)
  deliveryId: string;
}

export class DeliveryHandedOverBody extends DeliveryEventBody {
  /** Absent when the carrier has given none. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_TRACKING_LENGTH)
  trackingNumber?: string;
}

const service = 'fulfilment';

/**
 * Succeeds when nothing of the order is on its way, and nothing will be: it was never handed over, or was recalled. Refused
 * `already_shipped` when the carrier does not bring it back any more. An order that is not known yet is never delivered.
 */
export const StopDelivery = defineCommand({ service, name: 'stop-delivery', version: 1, body: StopDeliveryBody });
/** The carrier has it. It may still be recalled. */
export const DeliveryHandedOver = defineEvent({
  service,
  name: 'delivery.handed-over',
  version: 1,
  body: DeliveryHandedOverBody,
});
/** The customer has it. It cannot be recalled any more. */
export const DeliveryDelivered = defineEvent({
  service,
  name: 'delivery.delivered',
  version: 1,
  body: DeliveryEventBody,
});

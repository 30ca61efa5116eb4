/**
 * The events that the order service publishes: ids and amounts, no personal data, and never a means of payment. One of
 * them holds a link for the customer alone.
 */
import { defineEvent, WaitingAction } from '@shop/messaging';
import { Type } from 'class-transformer';
import {
  IsDefined,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { CURRENCY, TENANT } from './limits';

const MAX_REASON_LENGTH = 100;

export class OrderEventBody {
  @Matches(TENANT)
  tenant: string;

  /** Unique within its tenant only, since a client may choose it. */
  @IsUUID()
  orderId: string;
}

export class OrderConfirmedBody extends OrderEventBody {
  /** Minor units of the currency. */
  @IsInt()
  @Min(0)
  amount: number;

  @Matches(CURRENCY)
  currency: string;
}

export class OrderCancelledBody extends OrderEventBody {
  /** A stable code such as `out_of_stock`; absent when the order was confirmed before. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON_LENGTH)
  reason?: string;
}

export class OrderActionRequiredBody extends OrderEventBody {
  @IsDefined()
  @ValidateNested()
  @Type(() => WaitingAction)
  nextAction: WaitingAction;
}

const service = 'order';

/** It is paid, and its pieces are taken out of stock. */
export const OrderConfirmed = defineEvent({ service, name: 'confirmed', version: 1, body: OrderConfirmedBody });
/** No stock is held and no money is kept any more; the order may have been confirmed before. */
export const OrderCancelled = defineEvent({ service, name: 'cancelled', version: 1, body: OrderCancelledBody });
/** The order waits for its customer. Whoever listens may send them the link, and nobody else. */
export const OrderActionRequired = defineEvent({
  service,
  name: 'action-required',
  version: 1,
  body: OrderActionRequiredBody,
});

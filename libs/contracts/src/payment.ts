/** The commands that the payment service takes, and the events that it publishes. */
import { defineCommand, defineEvent } from '@shop/messaging';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsRFC3339,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { CURRENCY, TENANT } from './limits';

/** In characters, for a token as the client sends it. */
export const MAX_SOURCE_LENGTH = 200;
/** A client must not hand in a text that looks sealed: it would be opened, and might be another customer's. */
export const SOURCE = /^(?!sealed\.)/;
/** The longest sealed token: four bytes for each character, the nonce and the tag, in base64, behind the name of the key. */
const MAX_SEALED_LENGTH = 1_200;
const MAX_COMMAND_ID_LENGTH = 255;

/** `manual`: the money is only held, and somebody takes it later. */
export const captures = ['automatic', 'manual'] as const;
export type Capture = (typeof captures)[number];

export class ChargePaymentBody {
  @Matches(TENANT)
  tenant: string;

  @IsUUID()
  orderId: string;

  /** Minor units of the currency. */
  @IsInt()
  @Min(0)
  amount: number;

  @Matches(CURRENCY)
  currency: string;

  /** The provider's token for the means of payment, sealed for `placeOfSource`; releases before sent it in clear. */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_SEALED_LENGTH)
  source: string;

  /** Absent means automatic: releases before this one do not know the member. */
  @IsOptional()
  @IsIn(captures)
  capture?: Capture;
}

export class RefundPaymentBody {
  @Matches(TENANT)
  tenant: string;

  @IsUUID()
  orderId: string;

  /** The id of the ChargePayment command whose money goes back. */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_COMMAND_ID_LENGTH)
  chargeId: string;
}

/** The ends of a payment; `expired`: it is not wanted any more, and a bank still works on it; `refunded`: it was given back. */
export const settledStatuses = ['authorized', 'succeeded', 'declined', 'cancelled', 'expired', 'refunded'] as const;
/** `pmt_` and the letters of a hash. */
export const PAYMENT_ID = /^pmt_[\w-]{1,60}$/;

const REFUND_ID = /^rfd_[\w-]{1,60}$/;

class PaymentEventBody {
  @Matches(TENANT)
  tenant: string;

  @Matches(PAYMENT_ID)
  paymentId: string;

  /** Absent for money that belongs to no order. */
  @IsOptional()
  @IsUUID()
  orderId?: string;
}

export class PaymentSettledBody extends PaymentEventBody {
  /** The id of the ChargePayment command that was answered with `waiting`. Absent for money that belongs to no order. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_COMMAND_ID_LENGTH)
  chargeId?: string;

  @IsIn(settledStatuses)
  status: (typeof settledStatuses)[number];
}

export class PaymentAuthorizationExpiringBody extends PaymentEventBody {
  /** What is held and not taken, in minor units. */
  @IsInt()
  @Min(0)
  amount: number;

  @Matches(CURRENCY)
  currency: string;

  @IsRFC3339()
  expiresAt: string;
}

export class PaymentRefundFailedBody extends PaymentEventBody {
  @Matches(REFUND_ID)
  refundId: string;

  /** Minor units. The customer does not have it, and is still owed it. */
  @IsInt()
  @Min(1)
  amount: number;

  @Matches(CURRENCY)
  currency: string;
}

export class PaymentRefundedBody extends PaymentEventBody {
  @Matches(REFUND_ID)
  refundId: string;

  /** Minor units, which the customer has back. */
  @IsInt()
  @Min(1)
  amount: number;

  @Matches(CURRENCY)
  currency: string;
}

/** A sealed token opens for its own order only. */
export const placeOfSource = ({ tenant, orderId }: Pick<ChargePaymentBody, 'tenant' | 'orderId'>): string =>
  `charge-payment/${tenant}/${orderId}`;

const service = 'payment';

/**
 * Refused `payment_declined` or `payment_expired`. Answered with `waiting` while the customer or the provider has to act.
 * With `capture: 'manual'` it succeeds when the money is held.
 */
export const ChargePayment = defineCommand({ service, name: 'charge-payment', version: 1, body: ChargePaymentBody });
/** Refunds the whole amount; for a charge that never happened there is nothing to do. */
export const RefundPayment = defineCommand({ service, name: 'refund-payment', version: 1, body: RefundPaymentBody });
/** A payment that waited has its outcome. A hint: the reply to the command, sent again, is the truth. */
export const PaymentSettled = defineEvent({ service, name: 'settled', version: 1, body: PaymentSettledBody });
/** Money that is held will soon be free again, if nobody takes it. */
export const PaymentAuthorizationExpiring = defineEvent({
  service,
  name: 'authorization-expiring',
  version: 1,
  body: PaymentAuthorizationExpiringBody,
});
/** A refund that the provider had accepted has come back. */
export const PaymentRefundFailed = defineEvent({
  service,
  name: 'refund-failed',
  version: 1,
  body: PaymentRefundFailedBody,
});
/** Money went back to the customer, once for each refund. Its bank may still send it back: then `refund-failed` follows. */
export const PaymentRefunded = defineEvent({ service, name: 'refunded', version: 1, body: PaymentRefundedBody });

/** The commands that the payment service takes. */
import { defineCommand } from '@shop/messaging';
import { IsInt, IsString, IsUUID, Matches, MaxLength, Min, MinLength } from 'class-validator';
import { CURRENCY, TENANT } from './limits';

const MAX_SOURCE_LENGTH = 200;
const MAX_COMMAND_ID_LENGTH = 255;

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

  /** The provider's token for the means of payment; never logged. */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_SOURCE_LENGTH)
  source: string;
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

const service = 'payment';

/** Refused `payment_declined`. */
export const ChargePayment = defineCommand({ service, name: 'charge-payment', version: 1, body: ChargePaymentBody });
/** Refunds the whole amount; for a charge that never happened there is nothing to do. */
export const RefundPayment = defineCommand({ service, name: 'refund-payment', version: 1, body: RefundPaymentBody });

/** A payout of Stripe in our own words. Pure. */
import { amountOfProvider } from '@shop/contracts';
import { RetryableError } from '@shop/resilience';
import type Stripe from 'stripe';
import { type Payout, type PayoutStatus, payoutStatuses } from '../webhooks/provider-reports';

type Shown = Pick<Stripe.Payout, 'id' | 'amount' | 'currency' | 'status' | 'arrival_date' | 'failure_code'>;

/** @throws RetryableError for an answer that tells nothing */
export function payoutOf({ id, amount, currency: lower, status: told, arrival_date, failure_code }: Shown): Payout {
  const currency = lower.toUpperCase();
  const status = told === 'canceled' ? 'cancelled' : told;
  if (!payoutStatuses.includes(status as PayoutStatus)) throw new RetryableError(`the payout ${id} is ${told}`);
  return {
    id,
    amount: amountOfProvider(amount, currency),
    currency,
    status: status as PayoutStatus,
    arrivalDate: new Date(arrival_date * 1_000).toISOString().slice(0, 10),
    failureCode: failure_code,
  };
}

/** What the sandbox answers has the properties that the SDK's types name, with values that they allow. The compiler checks. */
import type Stripe from 'stripe';
import type { BalanceTransaction } from './balance-transaction';
import type { Charge } from './charge';
import type { Dispute } from './dispute';
import type { StripeEvent } from './event';
import type { PaymentIntent } from './payment-intent';
import type { Payout } from './payout';
import type { Refund } from './refund';
import type { StripeErrorBody } from './stripe-error';

/** A part of what the SDK knows, at any depth. */
type Part<T> = T extends object ? { [K in keyof T]?: Part<T[K]> } : T;
/** Never, unless every property has a name that the SDK knows and a value that it allows. */
type Fitting<Ours, Theirs> = Ours extends Part<Theirs> ? (keyof Ours extends keyof Theirs ? Ours : never) : never;

const fits: {
  intent: (ours: PaymentIntent) => Fitting<PaymentIntent, Stripe.PaymentIntent>;
  charge: (ours: Charge) => Fitting<Charge, Stripe.Charge>;
  refund: (ours: Refund) => Fitting<Refund, Stripe.Refund>;
  dispute: (ours: Dispute) => Fitting<Dispute, Stripe.Dispute>;
  payout: (ours: Payout) => Fitting<Payout, Stripe.Payout>;
  transaction: (ours: BalanceTransaction) => Fitting<BalanceTransaction, Stripe.BalanceTransaction>;
  type: (ours: StripeEvent['type']) => Stripe.Event['type'];
  error: (
    ours: NonNullable<PaymentIntent['last_payment_error']>['code'],
  ) => Stripe.PaymentIntent.LastPaymentError['code'];
  kind: (ours: StripeErrorBody['error']['type']) => Stripe.RawErrorType;
} = {
  intent: (ours) => ours,
  charge: (ours) => ours,
  refund: (ours) => ours,
  dispute: (ours) => ours,
  payout: (ours) => ours,
  transaction: (ours) => ours,
  type: (ours) => ours,
  error: (ours) => ours,
  kind: (ours) => ours,
};

it('answers what the SDK expects', () => {
  expect(Object.keys(fits)).toContain('intent');
});

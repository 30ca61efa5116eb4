/** What the provider tells of its account when it is asked, beside charges and refunds. */
import type { Dependency } from '@shop/resilience';
import type { PaymentKey } from '../payments/payments.repository';

export const payoutStatuses = ['pending', 'in_transit', 'paid', 'failed', 'cancelled'] as const;
export type PayoutStatus = (typeof payoutStatuses)[number];

/** Money that the provider sends to our bank. */
export interface Payout {
  /** The provider's name for it. */
  id: string;
  /** In minor units. Below zero when the provider takes money from our bank. */
  amount: number;
  /** ISO 4217, in capital letters. */
  currency: string;
  status: PayoutStatus;
  /** The day on which the bank has it, as the provider expects. */
  arrivalDate: string;
  failureCode: string | null;
}

/**
 * Both throw a RetryableError when there is no answer, and a TerminalError when the provider refuses the question, such as
 * for an unknown id.
 */
export interface ProviderReports {
  payout(id: string): Promise<Payout>;
  /** The payment for which we have made this intent. Undefined if it is none of ours. */
  paymentOf(intentId: string): Promise<PaymentKey | undefined>;
}

export const PROVIDER_REPORTS = Symbol('PROVIDER_REPORTS');

/** An event that gets no answer comes again, so each question is asked once. */
const ASKING = { turn: 'reports', maxTries: 1, maxWaitMs: 5_000, totalMs: 10_000 };

/** Asks as all calls to the provider are made. @throws as `ProviderReports`, and a RetryableError without a turn */
export const reportsOf = (provider: ProviderReports, dependency: Dependency): ProviderReports => ({
  payout: (id) => dependency.call(() => provider.payout(id), ASKING),
  paymentOf: (intentId) => dependency.call(() => provider.paymentOf(intentId), ASKING),
});

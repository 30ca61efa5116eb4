/** A provider inside the process. It answers at once, stores nothing, and gives the same answer for the same key. */
import { createHash } from 'node:crypto';
import { TerminalError } from '@shop/resilience';
import type { Intent } from './intent';
import type { Payout, ProviderReports } from '../webhooks/provider-reports';
import type { Confirmation, IntentRequest, Provider, RefundRequest } from './provider';

/** As long as a reference of the real provider. */
const REFERENCE_LENGTH = 24;

const declineReasons = new Map([
  ['tok_declined', 'generic_decline'],
  ['tok_insufficient_funds', 'insufficient_funds'],
]);

export class SimulatedProvider implements Provider, ProviderReports {
  createIntent({ idempotencyKey }: IntentRequest): Promise<Intent> {
    return this.retrieve(referenceOf('pi', idempotencyKey));
  }

  confirm({ reference, source }: Confirmation): Promise<Intent> {
    const reason = declineReasons.get(source);
    return Promise.resolve(
      reason === undefined ? { status: 'succeeded', reference } : { status: 'declined', reason, reference },
    );
  }

  /** Whoever looks, asks again, and gets the same answer. */
  retrieve(reference: string): Promise<Intent> {
    return Promise.resolve({ status: 'unconfirmed', reference });
  }

  cancel({ reference }: { reference: string }): Promise<Intent> {
    return Promise.resolve({ status: 'cancelled', reference });
  }

  findIntent(request: IntentRequest): Promise<Intent> {
    return this.createIntent(request);
  }

  refund({ idempotencyKey }: RefundRequest): Promise<{ reference: string }> {
    return Promise.resolve({ reference: referenceOf('re', idempotencyKey) });
  }

  findRefund(request: RefundRequest): Promise<{ reference: string }> {
    return this.refund(request);
  }

  /** There is no bank behind it, and it sends no events. */
  payout(id: string): Promise<Payout> {
    return Promise.reject(new TerminalError(`there is no payout ${id}`));
  }

  paymentOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/**
 * The reference is made from the key alone. So a repeated request gets the same reference, and nothing has to be
 * stored.
 */
function referenceOf(prefix: string, idempotencyKey: string): string {
  return `${prefix}_sim_${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, REFERENCE_LENGTH)}`;
}

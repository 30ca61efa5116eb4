/** A provider inside the process. It answers at once, stores nothing, and gives the same answer for the same key. */
import { createHash } from 'node:crypto';
import { RetryableError, TerminalError } from '@shop/resilience';
import type { Intent } from './intent';
import type {
  CaptureRequest,
  Confirmation,
  IntentRequest,
  Provider,
  RefundRequest,
  ShownDispute,
  ShownRefund,
} from './provider';
import type { Payout, ProviderReports } from '../webhooks/provider-reports';

/** As long as a reference of the real provider. */
const REFERENCE_LENGTH = 24;

const declineReasons = new Map([
  ['tok_declined', 'generic_decline'],
  ['tok_insufficient_funds', 'insufficient_funds'],
]);

/** Begins the references of money that is only held first. */
const HELD = 'pi_held';

export class SimulatedProvider implements Provider, ProviderReports {
  createIntent({ idempotencyKey, capture }: IntentRequest): Promise<Intent> {
    return this.retrieve(referenceOf(capture === 'manual' ? HELD : 'pi', idempotencyKey));
  }

  confirm({ reference, source }: Confirmation): Promise<Intent> {
    const reason = declineReasons.get(source);
    if (reason !== undefined) return Promise.resolve({ status: 'declined', reason, reference });
    return Promise.resolve({ status: reference.startsWith(HELD) ? 'authorized' : 'succeeded', reference });
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

  /** It stores nothing, so it does not know what was taken before: the first capture is the last one. */
  capture({ reference, id, amount }: CaptureRequest): Promise<Intent> {
    return Promise.resolve({ status: 'succeeded', reference, captured: amount, captures: [id] });
  }

  refund({ idempotencyKey }: RefundRequest): Promise<ShownRefund> {
    return this.retrieveRefund(referenceOf('re', idempotencyKey));
  }

  findRefund(request: RefundRequest): Promise<ShownRefund> {
    return this.refund(request);
  }

  retrieveRefund(reference: string): Promise<ShownRefund> {
    return Promise.resolve({ reference, status: 'succeeded' });
  }

  /** Nobody disputes what was never taken. */
  dispute(id: string): Promise<ShownDispute> {
    return Promise.reject(new RetryableError(`there is no dispute ${id}`));
  }

  disputesOf(): Promise<ShownDispute[]> {
    return Promise.resolve([]);
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

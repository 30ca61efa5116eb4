/** A provider inside the process. It answers at once, stores nothing, and gives the same answer for the same key. */
import { createHash } from 'node:crypto';
import type { ChargeRequest, ChargeResult, Provider, RefundRequest } from './provider';

/** As long as a reference of the real provider. */
const REFERENCE_LENGTH = 24;

const declineReasons = new Map([
  ['tok_declined', 'generic_decline'],
  ['tok_insufficient_funds', 'insufficient_funds'],
]);

export class SimulatedProvider implements Provider {
  charge({ idempotencyKey, source }: ChargeRequest): Promise<ChargeResult> {
    const reason = declineReasons.get(source);
    return Promise.resolve(
      reason === undefined
        ? { outcome: 'succeeded', reference: referenceOf('pi', idempotencyKey) }
        : { outcome: 'declined', reason },
    );
  }

  refund({ idempotencyKey }: RefundRequest): Promise<{ reference: string }> {
    return Promise.resolve({ reference: referenceOf('re', idempotencyKey) });
  }

  findCharge(request: ChargeRequest): Promise<ChargeResult> {
    return this.charge(request);
  }

  findRefund(request: RefundRequest): Promise<{ reference: string }> {
    return this.refund(request);
  }
}

/**
 * The reference is made from the key alone. So a repeated request gets the same reference, and nothing has to be
 * stored.
 */
function referenceOf(prefix: string, idempotencyKey: string): string {
  return `${prefix}_sim_${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, REFERENCE_LENGTH)}`;
}

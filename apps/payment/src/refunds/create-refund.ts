/**
 * `POST /payments/{id}/refunds`: gives money back once under the client's key.
 *
 * The refund is written as pending while the payment is locked, so the guard counts it. Then the provider is called
 * outside of any transaction. After that, the refund, the payment and the answer are written together.
 */
import assert from 'node:assert/strict';
import { Inject, Injectable } from '@nestjs/common';
import { alreadySubmitted, type Claim, type Done, Idempotency, type LeasedWork, type Outcome } from '@shop/idempotency';
import { OutboxRelay } from '@shop/messaging';
import type { Tx } from '@shop/postgres';
import { lockPayment } from '../payments/payments.repository';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from '../payments/provider-calls';
import { askFor, type Promised, promisedOf, recordAnswer } from './giving-back';
import { objectionTo, pathOf, refundIdOf } from './refund';
import { answerOfRefund } from './refund.view';
import { createRefund, findRefund, findRefundAgeMs, sumPromises } from './refunds.repository';

export interface NewRefund {
  tenant: string;
  paymentId: string;
  amount: number;
}

@Injectable()
export class CreateRefund {
  readonly perform: (claim: Claim, refund: NewRefund) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
    @Inject(OutboxRelay) private readonly relay: Pick<OutboxRelay, 'wake'>,
  ) {
    this.perform = idempotency.leased('create-refund', (work, refund: NewRefund) => this.run(work, refund));
  }

  private async run(work: LeasedWork, refund: NewRefund): Promise<Done> {
    const { tenant, paymentId } = refund;
    const id = refundIdOf(work.id);
    // Work that an earlier version has begun lacks some of this, and has the rest under the same names.
    const begun = await work.reach('pending', (tx) => this.begin(tx, id, refund));
    const promised: Promised = { ...begun, tenant, id, paymentId, amount: refund.amount };
    const result = await askFor(this.provider, promised, {
      idempotencyKey: work.id,
      ids: { paymentId },
      askedBefore: work.attempt > 1,
      ageMs: work.ageMs,
      tenant,
      patienceMs: PATIENCE_OF_CLIENT_MS,
    });
    return work.finish(async (tx) => {
      const answered = await recordAnswer(tx, promised, result, this.relay);
      assert(answered, 'whoever holds the lease finds the refund pending');
      return answerOfRefund(answered);
    });
  }

  /** @throws Problem when this much may not be given back, or the ledger has forgotten a key that was used */
  private async begin(tx: Tx, id: string, { tenant, paymentId, amount }: NewRefund): Promise<Promised> {
    // These are sent together and run in this order, so the sums are read under the lock.
    const [payment, others, known] = await Promise.all([
      lockPayment(tx, { tenant, id: paymentId }),
      sumPromises(tx, tenant, paymentId),
      findRefund(tx, { tenant, id }),
    ]);
    if (known) {
      const same = known.paymentId === paymentId && known.amount === amount;
      if (known.status !== 'pending' || known.providerReference !== null || !same)
        throw alreadySubmitted(pathOf(known), 'this refund was made before; the status URL tells it as it is now');
      const ageMs = await findRefundAgeMs(tx, { tenant, id });
      return { ...promisedOf(payment!, known), ageMs, isKnown: true };
    }
    const objection = objectionTo(amount, payment, others);
    if (objection) throw objection;
    createRefund(tx, { tenant, id, paymentId, amount, cause: 'request' });
    return promisedOf(payment!, { id, amount });
  }
}

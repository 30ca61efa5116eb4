/**
 * `POST /payments/{id}/refunds`: gives money back once under the client's key.
 *
 * The refund is written as pending while the payment is locked. So pending and finished refunds together never exceed
 * what was paid. Then the provider is called outside of any transaction. After that, the refund, the payment and the
 * answer are written together.
 */
import { Injectable } from '@nestjs/common';
import { alreadySubmitted, type Claim, type Done, Idempotency, type LeasedWork, type Outcome } from '@shop/idempotency';
import type { Tx } from '@shop/postgres';
import type { Payment } from '../payments/payment';
import { addRefunded, lockPayment } from '../payments/payments.repository';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from '../payments/provider-calls';
import { objectionTo, pathOf, refundIdOf } from './refund';
import { answerOfRefund } from './refund.view';
import { createRefund, findRefund, findRefundAgeMs, settleRefund, sumPromised } from './refunds.repository';

export interface NewRefund {
  tenant: string;
  paymentId: string;
  amount: number;
}

/** The data for the call to the provider. */
interface Begun {
  /** The provider's name for the charge. */
  reference: string;
  /** Absent in work that an earlier version has begun. */
  currency?: string;
  /** The age of the refund when this work was begun. */
  ageMs: number;
  /** The ledger has forgotten this refund. The provider may have been asked for it. */
  isKnown: boolean;
}

@Injectable()
export class CreateRefund {
  readonly perform: (claim: Claim, refund: NewRefund) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
  ) {
    this.perform = idempotency.leased('create-refund', (work, refund: NewRefund) => this.run(work, refund));
  }

  private async run(work: LeasedWork, refund: NewRefund): Promise<Done> {
    const { tenant, paymentId, amount } = refund;
    const id = refundIdOf(work.id);
    const begun = await work.reach('pending', (tx) => this.begin(tx, id, refund));
    const { reference, currency, ageMs, isKnown } = begun;
    const result = await this.provider.refund(
      { idempotencyKey: work.id, reference, amount, currency },
      {
        ids: { paymentId },
        askedBefore: work.attempt > 1 || isKnown,
        ageMs: ageMs + work.ageMs,
        tenant,
        patienceMs: PATIENCE_OF_CLIENT_MS,
      },
    );
    const given = result.outcome === 'succeeded' ? result.reference : null;
    return work.finish(async (tx) => {
      if (given !== null) addRefunded(tx, { tenant, id: paymentId }, amount);
      return answerOfRefund(await settleRefund(tx, { tenant, id }, given));
    });
  }

  /** @throws Problem when this much may not be given back, or the ledger has forgotten a key that was used */
  private async begin(tx: Tx, id: string, { tenant, paymentId, amount }: NewRefund): Promise<Begun> {
    // These are sent together and run in this order, so the sum is read under the lock.
    const [payment, promised, known] = await Promise.all([
      lockPayment(tx, { tenant, id: paymentId }),
      sumPromised(tx, tenant, paymentId),
      findRefund(tx, { tenant, id }),
    ]);
    if (known) {
      const same = known.paymentId === paymentId && known.amount === amount;
      if (known.status !== 'pending' || !same)
        throw alreadySubmitted(pathOf(known), 'this refund was made before; the status URL tells it as it is now');
      const ageMs = await findRefundAgeMs(tx, { tenant, id });
      return { ...chargeOf(payment!), ageMs, isKnown: true };
    }
    const objection = objectionTo(amount, payment, promised);
    if (objection) throw objection;
    createRefund(tx, { tenant, id, paymentId, amount });
    return { ...chargeOf(payment!), ageMs: 0, isKnown: false };
  }
}

const chargeOf = ({ providerReference, currency }: Payment) => ({ reference: providerReference!, currency });

/**
 * `POST /payments`: takes money once under the client's key.
 *
 * The payment is written as pending. The provider is called outside of any transaction. Then the outcome and the answer
 * are written together. Between these two transactions, nobody knows whether money moved. Whoever resumes the work looks
 * at what the provider shows, and asks again under the same provider key.
 */
import assert from 'node:assert/strict';
import { Injectable } from '@nestjs/common';
import { alreadySubmitted, type Claim, type Done, Idempotency, type LeasedWork, type Outcome } from '@shop/idempotency';
import type { Tx } from '@shop/postgres';
import { type PaymentBody, paymentIdOf } from './payment';
import { answerOfPayment } from './payment.view';
import { createPayment, findPaymentAgeMs, loadPayments, paymentKey, settlePayment } from './payments.repository';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from './provider-calls';

export type NewCharge = Pick<PaymentBody, 'amount' | 'currency' | 'source'> & { tenant: string };

@Injectable()
export class CreatePayment {
  readonly perform: (claim: Claim, charge: NewCharge) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
  ) {
    this.perform = idempotency.leased('create-payment', (work, charge: NewCharge) => this.run(work, charge));
  }

  private async run(work: LeasedWork, charge: NewCharge): Promise<Done> {
    const { tenant, amount, currency, source } = charge;
    const id = paymentIdOf(work.id);
    const { ageMs, isKnown } = await work.reach('pending', (tx) => this.begin(tx, id, charge));
    const result = await this.provider.charge(
      { idempotencyKey: work.id, paymentId: id, amount, currency, source },
      {
        ids: { paymentId: id },
        askedBefore: work.attempt > 1 || isKnown,
        ageMs: ageMs + work.ageMs,
        tenant,
        patienceMs: PATIENCE_OF_CLIENT_MS,
      },
    );
    return work.finish(async (tx) => answerOfPayment(await settlePayment(tx, { tenant, id }, result)));
  }

  /**
   * @throws Problem 409 when the ledger has forgotten the key, and the payment made under it is settled or different
   */
  private async begin(tx: Tx, id: string, charge: NewCharge): Promise<{ ageMs: number; isKnown: boolean }> {
    const { tenant, amount, currency, source } = charge;
    const isCreated = await createPayment(tx, { tenant, id, orderId: null, amount, currency, source });
    if (isCreated) return { ageMs: 0, isKnown: false };
    const known = (await loadPayments(tx, [{ tenant, id }])).get(paymentKey({ tenant, id }));
    assert(known, 'a payment that could not be inserted is there');
    const same = known.amount === amount && known.currency === currency && known.source === source;
    if (known.status !== 'pending' || !same)
      throw alreadySubmitted(`/payments/${id}`, 'this payment was made before; the status URL tells it as it is now');
    return { ageMs: await findPaymentAgeMs(tx, { tenant, id }), isKnown: true };
  }
}

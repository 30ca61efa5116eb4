/**
 * `POST /payments`: takes money once under the client's key.
 *
 * The payment is written as pending. The provider is called outside of any transaction. Then the outcome and the answer
 * are written together. Between these two transactions, nobody knows whether money moved. Whoever resumes the work looks
 * at what the provider shows, and asks again under the same provider key.
 */
import assert from 'node:assert/strict';
import { Injectable } from '@nestjs/common';
import {
  alreadySubmitted,
  type Claim,
  type Done,
  Idempotency,
  type LeasedWork,
  naturalKeyOf,
  type Outcome,
} from '@shop/idempotency';
import type { Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { Sealer } from '@shop/sealing';
import { type PaymentBody, paymentIdOf } from './payment';
import { answerOfPayment } from './payment.view';
import { createPayment, findPaymentAgeMs, loadPayments, paymentKey, settlePayment } from './payments.repository';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from './provider-calls';

/** Its source is sealed before anything is written. */
export type NewCharge = Pick<PaymentBody, 'amount' | 'currency' | 'source'> & { tenant: string };

@Injectable()
export class CreatePayment {
  readonly perform: (claim: Claim, charge: NewCharge) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
    private readonly sealer: Sealer,
  ) {
    const perform = idempotency.leased('create-payment', (work, charge: NewCharge) => this.run(work, charge));
    this.perform = async (claim, charge) => {
      const place = placeOf(charge.tenant, naturalKeyOf(claim));
      return perform(claim, { ...charge, source: sealer.seal(charge.source, place) });
    };
  }

  private async run(work: LeasedWork, charge: NewCharge): Promise<Done> {
    const { tenant, amount, currency, source } = charge;
    const id = paymentIdOf(work.id);
    const place = placeOf(tenant, work.id);
    const { ageMs, isKnown } = await work.reach('pending', (tx) => this.begin(tx, id, { charge, place }));
    const result = await this.provider.charge(
      { idempotencyKey: work.id, paymentId: id, amount, currency, source },
      {
        ids: { paymentId: id },
        place,
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
  private async begin(
    tx: Tx,
    id: string,
    { charge, place }: { charge: NewCharge; place: string },
  ): Promise<{ ageMs: number; isKnown: boolean }> {
    const { tenant, amount, currency, source } = charge;
    const isCreated = await createPayment(tx, { tenant, id, orderId: null, amount, currency, source });
    if (isCreated) return { ageMs: 0, isKnown: false };
    const known = (await loadPayments(tx, [{ tenant, id }])).get(paymentKey({ tenant, id }));
    assert(known, 'a payment that could not be inserted is there');
    const same = () =>
      known.amount === amount && known.currency === currency && this.isSame(known.source, source, place);
    if (known.status !== 'pending' || !same())
      throw alreadySubmitted(`/payments/${id}`, 'this payment was made before; the status URL tells it as it is now');
    return { ageMs: await findPaymentAgeMs(tx, { tenant, id }), isKnown: true };
  }

  /** The same token is sealed into another text each time. @throws RetryableError when one of them cannot be opened */
  private isSame(known: string | null, source: string, place: string): boolean {
    if (known === null) return false;
    try {
      return this.sealer.open(known, place) === this.sealer.open(source, place);
    } catch (cause) {
      throw new RetryableError('the source cannot be opened', { cause });
    }
  }
}

/** A sealed token opens for its own payment only. `name` is that of the work, from which the id of the payment follows. */
const placeOf = (tenant: string, name: string): string => `create-payment/${tenant}/${name}`;

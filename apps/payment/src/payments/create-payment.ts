/**
 * `POST /payments`: takes money once under the client's key.
 *
 * The payment is written as pending. The provider is called outside of any transaction. Then what came of it and the
 * answer are written together. Between these two transactions, nobody knows whether money moved. Whoever resumes the
 * work asks the provider about the intent. A payment that has to be approved first is answered with 202, and goes on
 * without its request.
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
import { charge, knownFrom, type KnownPayment } from './charging';
import type { Capture } from './intent';
import { type PaymentBody, paymentIdOf } from './payment';
import { answerOfPayment } from './payment.view';
import { createPayment, findPaymentAgeMs, loadPayments, paymentKey } from './payments.repository';
import { PATIENCE_OF_CLIENT_MS, ProviderCalls } from './provider-calls';
import { WaitingPayments } from './waiting-payments';

/** Its source is sealed before anything is written. */
export type NewCharge = Pick<PaymentBody, 'amount' | 'currency' | 'source'> & {
  tenant: string;
  /** Absent in work of a release that asked for the money before the charge had a name. */
  capture?: Capture;
};

interface Begun {
  /** The age of the payment when this work was begun. */
  ageMs: number;
  /** The payment was there before. */
  known?: KnownPayment;
}

@Injectable()
export class CreatePayment {
  readonly perform: (claim: Claim, charge: NewCharge) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly provider: ProviderCalls,
    private readonly waiting: WaitingPayments,
    private readonly sealer: Sealer,
  ) {
    const perform = idempotency.leased('create-payment', (work, charge: NewCharge) => this.run(work, charge));
    this.perform = async (claim, charge) => {
      const place = placeOf(charge.tenant, naturalKeyOf(claim));
      return perform(claim, { ...charge, source: sealer.seal(charge.source, place) });
    };
  }

  private async run(work: LeasedWork, given: NewCharge): Promise<Done> {
    const { tenant, amount, currency, source, capture } = given;
    const id = paymentIdOf(work.id);
    const key = { tenant, id };
    const place = placeOf(tenant, work.id);
    const { ageMs, known } = await work.reach('pending', (tx) => this.begin(tx, work.id, { charge: given, place }));
    const { change, reference } = await charge(this.provider, work, {
      tenant,
      id,
      amount,
      currency,
      source,
      place,
      capture,
      idempotencyKey: work.id,
      ids: { paymentId: id },
      patienceMs: PATIENCE_OF_CLIENT_MS,
      knownForMs: ageMs,
      known,
    });
    return work.finish(async (tx) => {
      const payment = await this.waiting.write(tx, key, { change, reference });
      assert(payment, 'whoever holds the lease finds the payment pending');
      return answerOfPayment(payment);
    });
  }

  /**
   * @throws Problem 409 when the ledger has forgotten the key, and the payment made under it is settled or different
   */
  private async begin(
    tx: Tx,
    chargeId: string,
    { charge, place }: { charge: NewCharge; place: string },
  ): Promise<Begun> {
    const { tenant, amount, currency, source } = charge;
    const id = paymentIdOf(chargeId);
    const isCreated = await createPayment(tx, { tenant, id, orderId: null, chargeId, amount, currency, source });
    if (isCreated) return { ageMs: 0 };
    const known = (await loadPayments(tx, [{ tenant, id }])).get(paymentKey({ tenant, id }));
    assert(known, 'a payment that could not be inserted is there');
    const same = () =>
      known.amount === amount && known.currency === currency && this.isSame(known.source, source, place);
    if (known.status !== 'pending' || known.waitsFor !== null || !same())
      throw alreadySubmitted(`/payments/${id}`, 'this payment was made before; the status URL tells it as it is now');
    return { ageMs: await findPaymentAgeMs(tx, { tenant, id }), known: knownFrom(known) };
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

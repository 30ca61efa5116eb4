/**
 * The commands on payments: charge, and undo a charge.
 *
 * The provider is called outside of any transaction, as leased work under the id of the charge command. If the provider
 * does not answer, the outcome is unknown. The command stays pending, and its next delivery, or its undo, finds out what
 * became of it. If the customer has to approve the charge first, the reply says so, and the payment waits.
 */
import { Inject, Injectable } from '@nestjs/common';
import {
  ChargePayment,
  type ChargePaymentBody,
  objectionToCharging,
  placeOfSource,
  RefundPayment,
  type RefundPaymentBody,
} from '@shop/contracts';
import type { Done, LeasedWork } from '@shop/idempotency';
import { answerOf, type Command, type CommandSet, type Decision, on, refused, succeeded } from '@shop/participant';
import { isUniqueViolation, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { replyToCharge, replyToGivingUp } from './charge-reply';
import { charge } from './charging';
import type { Capture } from './intent';
import { type Payment, paymentIdOf, type RefundPlan, planRefund } from './payment';
import { begunPayment, changeBy } from './payment-state';
import {
  addRefunded,
  findPaymentAgeMs,
  insertPayments,
  loadPayments,
  type NewPayment,
  PAYMENT_PRIMARY_KEY,
  paymentKey,
  settlePayments,
} from './payments.repository';
import { PATIENCE_OF_SAGA_MS, ProviderCalls } from './provider-calls';
import { WaitingPayments } from './waiting-payments';
import { markUndone } from './waiting-payments.repository';

/** The payments of the commands of a batch, by `paymentKey`, and the new payments of the batch. */
interface Payments {
  known: Map<string, Payment>;
  made: NewPayment[];
}

/** The outside work that a charge still needs. */
interface Charge extends NewPayment {
  orderId: string;
  /** The id of the charge command. It is the provider's key for the charge. */
  chargeId: string;
  /** Absent in work of a release that asked for the money before the charge had a name. */
  capture?: Capture;
  /** The payment was there before. Absent in such work: it had another meaning there. */
  known?: { reference: string | null; isNamedFirst: boolean };
}

interface GivingUp {
  tenant: string;
  paymentId: string;
}

interface Refund {
  tenant: string;
  paymentId: string;
  amount: number;
  /** Absent in work that an earlier version has begun. */
  currency?: string;
  /** The provider's name for the charge. */
  reference: string;
  refundId: string;
}

const CHARGE = 'charge-payment';
const REFUND = 'refund-payment';
const GIVE_UP = 'give-up-payment';

@Injectable()
export class PaymentCommands implements CommandSet<Payments> {
  readonly handlers = [
    on(ChargePayment, decideCharge),
    // The body names the charge, also in the saga that cancels a confirmed order.
    on(RefundPayment, decideRefund, { undoes: ({ chargeId }) => chargeId }),
  ];
  readonly calls = {
    [CHARGE]: (work: LeasedWork, charge: Charge) => this.charge(work, charge),
    [REFUND]: (work: LeasedWork, refund: Refund) => this.refund(work, refund),
    [GIVE_UP]: (work: LeasedWork, payment: GivingUp) => this.giveUp(work, payment),
  };

  constructor(
    @Inject(ProviderCalls) private readonly provider: ProviderCalls,
    @Inject(WaitingPayments) private readonly waiting: WaitingPayments,
  ) {}

  async load(tx: Tx, commands: readonly Command[]): Promise<Payments> {
    return { known: await loadPayments(tx, commands.map(keyOf)), made: [] };
  }

  /**
   * Charges are normally new. A payment that exists fails the transaction by its primary key, and the next attempt
   * reads.
   */
  blank(): Payments {
    return { known: new Map(), made: [] };
  }

  save(tx: Tx, { made }: Payments): void {
    insertPayments(tx, made);
  }

  retryOn(error: unknown): boolean {
    return isUniqueViolation(error, PAYMENT_PRIMARY_KEY);
  }

  private async charge(work: LeasedWork, given: Charge): Promise<Done> {
    const { tenant, id, orderId, chargeId, amount, currency, source, capture, known } = given;
    const key = { tenant, id };
    const knownForMs = known ? await work.reach('known', (tx) => findPaymentAgeMs(tx, key)) : 0;
    const intent = await charge(this.provider, work, {
      tenant,
      id,
      amount,
      currency,
      source,
      place: placeOfSource({ tenant, orderId }),
      capture: capture ?? 'automatic',
      idempotencyKey: chargeId,
      ids: { messageId: chargeId, paymentId: id },
      patienceMs: PATIENCE_OF_SAGA_MS,
      knownForMs,
      reference: known?.reference ?? undefined,
      mayBeCharged: capture === undefined || known?.isNamedFirst === false,
    });
    const change = changeBy(begunPayment({ amount, undone: work.undone }), intent);
    if (!change) throw new RetryableError(`the charge ${id} is ${intent.status}`);
    const reference = intent.reference || null;
    if (change.waitsFor === null) {
      const reply = replyToCharge({ id, expiresAt: null, ...change })!;
      return work.finishWith(answerOf(reply), settlePayments, { ...key, change, reference }, tenant);
    }
    return work.finish(async (tx) => {
      const payment = await this.waiting.write(tx, key, { change, reference });
      return answerOf(replyToCharge(payment!)!);
    });
  }

  /** What lands after the mark is given back, also if this work never ends. */
  private async giveUp(work: LeasedWork, { tenant, paymentId }: GivingUp): Promise<Done> {
    const key = { tenant, id: paymentId };
    await work.reach('undone', (tx) => markUndone(tx, key));
    const payment = await this.waiting.settle(key);
    const reply = payment && replyToGivingUp(payment);
    if (!reply) throw new RetryableError(`${paymentId} is still ${payment?.status}`);
    return work.finish(() => answerOf(reply));
  }

  private async refund(work: LeasedWork, refund: Refund): Promise<Done> {
    const { tenant, paymentId, amount, currency, reference, refundId } = refund;
    const result = await this.provider.refund(
      { idempotencyKey: refundId, reference, amount, currency },
      {
        ids: { messageId: refundId, paymentId },
        askedBefore: work.attempt > 1,
        ageMs: work.ageMs,
        tenant,
        patienceMs: PATIENCE_OF_SAGA_MS,
      },
    );
    return work.finish((tx) => {
      // No money moved. The refusal is not kept: the saga parks, and after an operator has fixed the cause, the same
      // command may ask again.
      if (result.outcome === 'refused') return answerOf(refused('refund_refused'), { kept: false });
      addRefunded(tx, { tenant, id: paymentId }, amount, result.reference);
      return answerOf(succeeded({ result: 'refunded', paymentId }));
    });
  }
}

function decideCharge(payments: Payments, { id: chargeId, body }: Command<ChargePaymentBody>): Decision {
  const { tenant, orderId, amount, currency, source, capture = 'automatic' } = body;
  const id = paymentIdOf(chargeId);
  const payment = payments.known.get(paymentKey({ tenant, id }));
  // The ledger has no answer of a charge that waits, and it may have forgotten an old one. The payment tells it.
  const reply = payment && replyToCharge(payment);
  if (reply) return reply;
  const wanted = { tenant, id, orderId, chargeId, amount, currency, source };
  // The order service does not send such a command, unless it is older than this rule.
  if (!payment && objectionToCharging({ amount, currency })) return refused('payment_declined');
  if (!payment) payments.made.push(wanted);
  const known = payment && { reference: payment.providerReference, isNamedFirst: payment.chargeId !== null };
  const charge: Charge = { ...wanted, capture, known };
  return { leased: CHARGE, input: charge };
}

function decideRefund(payments: Payments, { id: refundId, body }: Command<RefundPaymentBody>): Decision {
  const { tenant, chargeId } = body;
  const paymentId = paymentIdOf(chargeId);
  const payment = payments.known.get(paymentKey({ tenant, id: paymentId }));
  const plan: RefundPlan = planRefund(payment);
  switch (plan) {
    case 'never-charged':
      return succeeded({ result: 'never_charged' });
    case 'nothing-to-refund':
      return succeeded({ result: 'nothing_to_refund', paymentId });
    case 'wait-for-charge':
      throw new RetryableError(`the outcome of ${paymentId} is not known yet`);
    case 'give-up': {
      const input: GivingUp = { tenant, paymentId };
      return { leased: GIVE_UP, input };
    }
    case 'refund': {
      const refund: Refund = {
        tenant,
        paymentId,
        amount: payment!.amount,
        currency: payment!.currency,
        reference: payment!.providerReference!,
        refundId,
      };
      return { leased: REFUND, input: refund };
    }
  }
}

function keyOf({ id, type, body }: Command): { tenant: string; id: string } {
  const { tenant, chargeId } = body as RefundPaymentBody;
  return { tenant, id: paymentIdOf(type === ChargePayment.type ? id : chargeId) };
}

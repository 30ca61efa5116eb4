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
import { OutboxRelay } from '@shop/messaging';
import { answerOf, type Command, type CommandSet, type Decision, on, refused, succeeded } from '@shop/participant';
import { isUniqueViolation, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { BookingDisputes } from '../disputes/booking-disputes';
import { askFor, promiseRest, recordAnswer } from '../refunds/giving-back';
import { refundIdOf } from '../refunds/refund';
import { replyToCharge, replyToGivingUp, replyToRefund } from './charge-reply';
import { charge, knownFrom, type KnownPayment } from './charging';
import type { Capture } from './intent';
import { type Payment, paymentIdOf, type RefundPlan, planRefund } from './payment';
import {
  findPaymentAgeMs,
  insertPayments,
  loadPayments,
  type NewPayment,
  PAYMENT_PRIMARY_KEY,
  paymentKey,
  settlePayments,
} from './payments.repository';
import { PATIENCE_OF_SAGA_MS, ProviderCalls, type RefundResult } from './provider-calls';
import { WaitingPayments } from './waiting-payments';
import { findStanding, markUndone } from './waiting-payments.repository';

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
  known?: KnownPayment;
}

interface GivingUp {
  tenant: string;
  paymentId: string;
}

interface Refund {
  tenant: string;
  paymentId: string;
  /** The id of the command. It is the provider's key for the refund. */
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
    @Inject(BookingDisputes) private readonly disputes: Pick<BookingDisputes, 'lookUp'>,
    @Inject(OutboxRelay) private readonly relay: Pick<OutboxRelay, 'wake'>,
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
    const { change, reference } = await charge(this.provider, work, {
      tenant,
      id,
      amount,
      currency,
      source,
      place: placeOfSource({ tenant, orderId }),
      capture,
      idempotencyKey: chargeId,
      ids: { messageId: chargeId, paymentId: id },
      patienceMs: PATIENCE_OF_SAGA_MS,
      knownForMs,
      known,
    });
    if (change.waitsFor === null && change.status !== 'authorized') {
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

  /**
   * What is left goes back. It may be less than was paid, and nothing if a dispute was faster. If the provider refuses,
   * there may be a dispute of which nobody has told us.
   */
  private async refund(work: LeasedWork, { tenant, paymentId, refundId }: Refund): Promise<Done> {
    const key = { tenant, id: paymentId };
    const asking = { ids: { messageId: refundId, paymentId }, tenant, patienceMs: PATIENCE_OF_SAGA_MS };
    const give = async (step: string, name: string): Promise<RefundResult | undefined> => {
      const wish = { id: refundIdOf(name), cause: 'saga' as const };
      const promised = await work.reach(step, async (tx) => (await promiseRest(tx, key, wish)) ?? null);
      if (!promised) return undefined;
      const again = { askedBefore: work.attempt > 1, ageMs: work.ageMs };
      const ask = () => askFor(this.provider, promised, { ...asking, ...again, idempotencyKey: name });
      return work.call(`${step} asked`, ask, async (tx, result) => {
        await recordAnswer(tx, promised, result, this.relay);
        return result;
      });
    };
    let result = await give('refund', refundId);
    if (result?.outcome === 'refused') {
      await this.disputes.lookUp(key, asking);
      const payment = await work.reach('disputed', (tx) => findStanding(tx, key));
      if (payment!.disputed > 0) result = await give('rest', `${refundId}/rest`);
    }
    // No money moved. The refusal is not kept: the saga parks, and after an operator has fixed the cause, the same
    // command may ask again.
    if (result?.outcome === 'refused') return work.finish(() => answerOf(refused('refund_refused'), { kept: false }));
    return work.finish(async (tx) => answerOf(replyToRefund((await findStanding(tx, key))!)));
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
  const charge: Charge = { ...wanted, capture, known: payment && knownFrom(payment) };
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
    case 'voided':
      return succeeded({ result: 'voided', paymentId });
    case 'refund': {
      const refund: Refund = { tenant, paymentId, refundId };
      return { leased: REFUND, input: refund };
    }
  }
}

function keyOf({ id, type, body }: Command): { tenant: string; id: string } {
  const { tenant, chargeId } = body as RefundPaymentBody;
  return { tenant, id: paymentIdOf(type === ChargePayment.type ? id : chargeId) };
}

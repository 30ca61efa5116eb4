/**
 * The commands on payments: charge, and give back the money of a charge.
 *
 * The provider is called outside of any transaction, as leased work under the id of the charge command. If the provider
 * does not answer, the outcome is unknown. The command stays pending, and the next delivery, or its undo, finds out what
 * became of it: it looks at what the provider shows, and asks again under the same key.
 */
import { Inject, Injectable } from '@nestjs/common';
import {
  ChargePayment,
  type ChargePaymentBody,
  objectionToPaying,
  placeOfSource,
  RefundPayment,
  type RefundPaymentBody,
} from '@shop/contracts';
import type { Done, LeasedWork } from '@shop/idempotency';
import { answerOf, type Command, type CommandSet, type Decision, on, refused, succeeded } from '@shop/participant';
import { isUniqueViolation, type Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { type Payment, paymentIdOf, type RefundPlan, planRefund } from './payment';
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
import type { ChargeResult } from './provider';
import { PATIENCE_OF_SAGA_MS, ProviderCalls } from './provider-calls';

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
  /** The provider may have been asked before. Then a refusal does not tell what happened to the money. */
  isKnown: boolean;
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

/** The provider is not called for an amount of zero. */
const NOTHING_TO_PAY: ChargeResult = { outcome: 'succeeded', reference: 'nothing-to-pay' };

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
  };

  constructor(@Inject(ProviderCalls) private readonly provider: ProviderCalls) {}

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

  private async charge(work: LeasedWork, charge: Charge): Promise<Done> {
    const { tenant, id, orderId, chargeId, amount, currency, source, isKnown } = charge;
    const key = { tenant, id };
    const knownForMs = isKnown ? await work.reach('known', (tx) => findPaymentAgeMs(tx, key)) : 0;
    const askedBefore = work.attempt > 1 || isKnown;
    const result =
      amount === 0
        ? NOTHING_TO_PAY
        : await this.provider.charge(
            { idempotencyKey: chargeId, paymentId: id, amount, currency, source },
            {
              ids: { messageId: chargeId, paymentId: id },
              place: placeOfSource({ tenant, orderId }),
              askedBefore,
              ageMs: knownForMs + work.ageMs,
              tenant,
              patienceMs: PATIENCE_OF_SAGA_MS,
            },
          );
    const reply = result.outcome === 'succeeded' ? succeeded({ paymentId: id }) : refused('payment_declined');
    return work.finishWith(answerOf(reply), settlePayments, { key, result }, tenant);
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
  const { tenant, orderId, amount, currency, source } = body;
  const id = paymentIdOf(chargeId);
  const payment = payments.known.get(paymentKey({ tenant, id }));
  // The ledger may have forgotten the command. The payment has its id from the command, so it still exists.
  if (payment?.status === 'succeeded') return succeeded({ paymentId: id });
  if (payment?.status === 'declined') return refused('payment_declined');
  const wanted = { tenant, id, orderId, amount, currency, source };
  // The order service does not send such a command, unless it is older than this rule.
  if (!payment && objectionToPaying({ amount, currency })) return refused('payment_declined');
  if (!payment) payments.made.push(wanted);
  const charge: Charge = { ...wanted, chargeId, isKnown: payment !== undefined };
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

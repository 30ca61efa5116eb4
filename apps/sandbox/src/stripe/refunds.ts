/** Refunds: given once for each key, never more than is left, and sometimes sent back by the bank. */
import { Injectable } from '@nestjs/common';
import { type Answer, type Call, refusal } from './answer';
import { newTransaction } from './balance-transaction';
import { Books } from './books';
import { type Charge, withRefunded } from './charge';
import { checkAmount } from './currencies';
import { Disputes } from './disputes';
import type { PaymentIntent } from './payment-intent';
import { failedRefund, newRefund, type Refund, type RefundForm, settledRefund } from './refund';

@Injectable()
export class Refunds {
  constructor(
    private readonly books: Books,
    private readonly disputes: Disputes,
  ) {}

  /** 200 with the refund, or 400 when less is left. @throws StripeError for a key used for something else, and for an unknown payment. */
  create(call: Call, { paymentIntent, amount: asked, metadata }: RefundForm): Answer {
    return this.books.once(call, () => {
      const intent = this.books.intents.get(paymentIntent, 'payment_intent');
      const charge = this.books.charges.find(intent.latest_charge ?? '');
      if (!charge?.captured) return { answer: notCharged(intent) };
      if (charge.disputed && this.disputes.holds(charge)) return { answer: disputed(charge) };
      const left = charge.amount_captured - charge.amount_refunded;
      const amount = asked ?? left;
      checkAmount(amount, charge.currency);
      if (amount > left || left === 0) return { answer: alreadyRefunded(intent, left) };
      const { newId, nowMs } = this.books.world;
      const [id, transactionId, at] = [newId('re'), newId('txn'), nowMs()];
      const movement = { type: 'refund', source: id, amount: -amount, currency: charge.currency } as const;
      const transaction = newTransaction({ ...movement, id: transactionId, nowMs: at });
      const refund = newRefund(charge, { id, amount, metadata, transaction: transaction.id, nowMs: at });
      const given = withRefunded(charge, charge.amount_refunded + amount);
      return {
        answer: { status: 200, body: refund },
        kept: [refund, given, transaction],
        happened: [
          ['refund.created', refund],
          ['charge.refunded', given],
        ],
      };
    });
  }

  /** Undefined when it does not wait. */
  settle(id: string): Refund | undefined {
    const settled = settledRefund(this.books.refunds.get(id, 'refund'));
    if (settled) this.books.record({ kept: [settled], happened: [['refund.updated', settled]] });
    return settled;
  }

  /** The money is with the merchant again. Undefined when it has failed already. */
  fail(id: string): Refund | undefined {
    const refund = this.books.refunds.get(id, 'refund');
    const { newId, nowMs } = this.books.world;
    const transactionId = newId('txn');
    const failed = failedRefund(refund, transactionId);
    if (!failed) return undefined;
    const { amount, currency } = refund;
    const movement = { type: 'refund_failure', source: id, amount, currency } as const;
    const charge = this.books.charges.get(refund.charge);
    this.books.record({
      kept: [
        failed,
        withRefunded(charge, charge.amount_refunded - amount),
        newTransaction({ ...movement, id: transactionId, nowMs: nowMs() }),
      ],
      happened: [
        ['refund.updated', failed],
        ['refund.failed', failed],
      ],
    });
    return failed;
  }
}

function alreadyRefunded(intent: PaymentIntent, left: number): Answer {
  const message = `Payment ${intent.id} cannot be refunded by this much: ${left} of ${intent.amount_received} is left.`;
  return refusal({ type: 'invalid_request_error', code: 'charge_already_refunded', message });
}

function notCharged(intent: PaymentIntent): Answer {
  const message = `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`;
  const code = 'payment_intent_unexpected_state';
  return refusal({ type: 'invalid_request_error', code, message, payment_intent: intent });
}

function disputed({ id }: Charge): Answer {
  const message = `Charge ${id} has been charged back; cannot issue a refund.`;
  return refusal({ type: 'invalid_request_error', code: 'charge_disputed', message });
}

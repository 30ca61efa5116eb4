/**
 * Finds out what became of payments that wait, and does what follows.
 *
 * A payment waits when its customer has to approve it, or when a bank takes its time. What the provider says when it is
 * asked is the truth; webhooks only make us ask sooner. A payment that nobody wants any more, or that nobody approves in
 * time, is given up at the provider. If its money lands all the same, it is given back.
 */
import { PaymentSettled, type PaymentSettledBody } from '@shop/contracts';
import { appendEvents, newEvent } from '@shop/messaging';
import { counter, type Logger } from '@shop/observability';
import type { Database, Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import type { Intent } from './intent';
import type { Payment } from './payment';
import { type Change, changeBy, isToBeGivenBack, isToBeGivenUp, isWaiting } from './payment-state';
import { changePayment, type PaymentKey } from './payments.repository';
import { PATIENCE_OF_SAGA_MS, type ProviderCalls } from './provider-calls';
import { findStanding, markGivenBack, type StandingPayment } from './waiting-payments.repository';

export interface WaitingLimits {
  /** How long a customer may take to approve a payment. */
  approvalSeconds: number;
  /** How long a bank may take. */
  processingSeconds: number;
}

export interface WaitingPaymentsOptions {
  database: Database;
  calls: ProviderCalls;
  /** Publishes what became of them. */
  relay: { wake: () => void };
  limits: WaitingLimits;
  logger: Logger;
}

const landed = counter(
  'payment_landed_unwanted_total',
  'Payments whose money came after they were undone or had expired; it is given back',
);

export class WaitingPayments {
  constructor(private readonly options: WaitingPaymentsOptions) {}

  /**
   * Writes what the provider has told about a payment, in the caller's transaction. Undefined if the payment has reached
   * an end meanwhile.
   */
  write(tx: Tx, key: PaymentKey, { change, reference }: { change: Change; reference: string | null }) {
    const { approvalSeconds, processingSeconds } = this.options.limits;
    const waitSeconds = change.waitsFor === 'customer' ? approvalSeconds : processingSeconds;
    return changePayment(tx, { ...key, change, reference }, waitSeconds);
  }

  /**
   * Asks the provider about a payment, and does what follows. Any number may do this at once. Undefined if there is no
   * such payment.
   * @throws RetryableError when the provider does not tell
   */
  async settle(key: PaymentKey): Promise<StandingPayment | undefined> {
    const payment = await findStanding(this.options.database, key);
    if (!payment) return undefined;
    if (isToBeGivenBack(payment)) return this.giveBack(payment);
    if (!isWaiting(payment) && !isToBeGivenUp(payment)) return payment;
    const change = changeBy(payment, await this.ask(payment));
    if (change) await this.settleAs(payment, change);
    const after = (await findStanding(this.options.database, key))!;
    return isToBeGivenBack(after) ? this.giveBack(after) : after;
  }

  private ask(payment: StandingPayment): Promise<Intent> {
    const reference = payment.providerReference!;
    return isToBeGivenUp(payment)
      ? this.options.calls.cancel({ reference, idempotencyKey: `${payment.id}/give-up` }, askingAbout(payment))
      : this.options.calls.retrieve(reference, askingAbout(payment));
  }

  private async settleAs(payment: Payment, change: Change): Promise<void> {
    await this.options.database.transaction(async (tx) => {
      const after = await this.write(tx, payment, { change, reference: null });
      if (!after || (isWaiting(after) && !after.undone)) return;
      this.tell(tx, after, after.status === 'pending' ? 'expired' : after.status);
    });
  }

  private async giveBack(payment: StandingPayment): Promise<StandingPayment> {
    const { id, tenant, amount, currency, providerReference, ageMs } = payment;
    landed.inc();
    this.options.logger.warn({ paymentId: id, amount, currency }, 'payment.landed.unwanted');
    const request = { idempotencyKey: `${id}/landed`, reference: providerReference!, amount, currency };
    const result = await this.options.calls.refund(request, { ...askingAbout(payment), askedBefore: true, ageMs });
    if (result.outcome === 'refused') throw new RetryableError('the provider refuses to give the money back');
    await this.options.database.transaction(async (tx) => {
      const after = await markGivenBack(tx, payment, result.reference);
      if (after) this.tell(tx, after, 'refunded');
    });
    return (await findStanding(this.options.database, { tenant, id }))!;
  }

  private tell(tx: Tx, { tenant, id, orderId, chargeId }: Payment, status: PaymentSettledBody['status']): void {
    const data = {
      tenant,
      paymentId: id,
      orderId: orderId ?? undefined,
      chargeId: (orderId && chargeId) ?? undefined,
      status,
    };
    appendEvents(tx, [newEvent(PaymentSettled, { id: `${id}/${status}`, subject: id, data })]);
    tx.afterCommit(() => this.options.relay.wake());
  }
}

const askingAbout = ({ id, tenant }: Payment) => ({
  ids: { paymentId: id },
  tenant,
  patienceMs: PATIENCE_OF_SAGA_MS,
});

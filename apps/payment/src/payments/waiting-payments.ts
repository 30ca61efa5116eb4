/**
 * Finds out what became of payments that wait or are only held, and does what follows.
 *
 * A payment waits when its customer has to approve it, or when a bank takes its time. What the provider says when it is
 * asked is the truth; webhooks only make us ask sooner. A payment that nobody wants any more, or that nobody approves in
 * time, is given up at the provider. If its money lands all the same, it is given back.
 */
import { PaymentAuthorizationExpiring, PaymentSettled, type PaymentSettledBody } from '@shop/contracts';
import { counter, type Logger } from '@shop/observability';
import type { Database, Tx } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import type { Intent } from './intent';
import { askFor, promiseLanded, recordAnswer } from '../refunds/giving-back';
import { refundIdOf } from '../refunds/refund';
import type { Payment } from './payment';
import { tellOfPayment } from './payment-events';
import { type Change, changeBy, isUnwanted, isToBeGivenUp, isWaiting } from './payment-state';
import { changePayment, type PaymentKey } from './payments.repository';
import { PATIENCE_OF_SAGA_MS, type ProviderCalls } from './provider-calls';
import { findStanding, markGivenBack, type StandingPayment, watchAuthorization } from './waiting-payments.repository';

export interface WaitingLimits {
  /** How long a customer may take to approve a payment. */
  approvalSeconds: number;
  /** How long a bank may take. */
  processingSeconds: number;
  /** The default is to keep what is held, and to tell of it a day before its end. */
  authorization?: AuthorizationLimits;
}

/** What is done about money that is held and will soon be free again: nothing, or it is given up. */
export const authorizationPolicies = ['keep', 'release'] as const;

export interface AuthorizationLimits {
  policy: (typeof authorizationPolicies)[number];
  /** How long before its end an authorization is told of, and given up under the policy `release`. */
  warningSeconds: number;
}

const DEFAULT_AUTHORIZATION: AuthorizationLimits = { policy: 'keep', warningSeconds: 86_400 };

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
  private readonly authorization: AuthorizationLimits;

  constructor(private readonly options: WaitingPaymentsOptions) {
    this.authorization = options.limits.authorization ?? DEFAULT_AUTHORIZATION;
  }

  /**
   * Writes what the provider has told about a payment, in the caller's transaction. Undefined if the payment has reached
   * an end meanwhile.
   */
  write(tx: Tx, key: PaymentKey, { change, reference }: { change: Change; reference: string | null }) {
    const { approvalSeconds, processingSeconds } = this.options.limits;
    const waitSeconds = change.waitsFor === 'customer' ? approvalSeconds : processingSeconds;
    const { warningSeconds } = this.authorization;
    return changePayment(tx, { ...key, change, reference }, { waitSeconds, warningSeconds });
  }

  /**
   * Asks the provider about a payment, and does what follows. Any number may do this at once. Undefined if there is no
   * such payment.
   * @throws RetryableError when the provider does not tell
   */
  async settle(key: PaymentKey): Promise<StandingPayment | undefined> {
    const payment = await findStanding(this.options.database, key);
    if (!payment) return undefined;
    if (isUnwanted(payment)) return this.giveBack(payment);
    if (!isWaiting(payment) && payment.status !== 'authorized') return payment;
    const isExpiring = payment.status === 'authorized' && !payment.undone && (await this.watch(payment));
    const standing = {
      ...payment,
      isExpired: payment.isExpired || (isExpiring && this.authorization.policy === 'release'),
    };
    const change = changeBy(standing, await this.ask(standing));
    if (change) await this.settleAs(payment, change);
    const after = (await findStanding(this.options.database, key))!;
    return isUnwanted(after) ? this.giveBack(after) : after;
  }

  /** Tells once that money which is held will soon be free again. Returns whether it will. */
  private async watch(payment: StandingPayment): Promise<boolean> {
    const { warningSeconds, policy } = this.authorization;
    return this.options.database.transaction(async (tx) => {
      const seen = await watchAuthorization(tx, payment, { warningSeconds, isReleased: policy === 'release' });
      if (seen?.isNew) {
        const { id: paymentId, amount, captured, currency } = payment;
        const expiresAt = payment.expiresAt!;
        const more = { amount: amount - (captured ?? 0), currency, expiresAt };
        tellOfPayment(tx, PaymentAuthorizationExpiring, payment, { what: 'authorization-expiring', more });
        tx.afterCommit(() => {
          this.options.logger.warn({ paymentId, expiresAt, policy }, 'payment.authorization.expiring');
          this.options.relay.wake();
        });
      }
      return seen?.isExpiring ?? false;
    });
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
    const { id, tenant, currency } = payment;
    const { database, calls, logger } = this.options;
    const idOf = (place: number) => refundIdOf(`${id}/landed/${place}`);
    const promised = await database.transaction((tx) => promiseLanded(tx, payment, idOf));
    if (promised) {
      const { amount } = promised;
      landed.inc();
      logger.warn({ paymentId: id, amount, currency }, 'payment.landed.unwanted');
      const asking = { ...askingAbout(payment), idempotencyKey: promised.id, askedBefore: promised.isKnown, ageMs: 0 };
      const result = await askFor(calls, promised, asking);
      // It stays promised, and is asked for again; unless a dispute has taken the money.
      if (result.outcome === 'refused' && !(await findStanding(database, { tenant, id }))?.disputed)
        throw new RetryableError('the provider refuses to give the money back');
      await database.transaction((tx) => recordAnswer(tx, promised, result, this.options.relay));
    }
    await database.transaction(async (tx) => {
      const after = await markGivenBack(tx, payment);
      if (after) this.tell(tx, after, 'refunded');
    });
    return (await findStanding(database, { tenant, id }))!;
  }

  private tell(tx: Tx, payment: Payment, status: PaymentSettledBody['status']): void {
    const { orderId, chargeId } = payment;
    const more = { chargeId: (orderId && chargeId) ?? undefined, status };
    tellOfPayment(tx, PaymentSettled, payment, { what: status, more });
    tx.afterCommit(() => this.options.relay.wake());
  }
}

const askingAbout = ({ id, tenant }: Payment) => ({
  ids: { paymentId: id },
  tenant,
  patienceMs: PATIENCE_OF_SAGA_MS,
});

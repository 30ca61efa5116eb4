/**
 * Books what the provider shows of a dispute.
 *
 * The bank has taken the money already, so a dispute is not refused. It is counted under the lock of its payment, and
 * everybody who gives money back from then on finds less. A dispute that is won gives its money back to us.
 */
import { Inject, Injectable } from '@nestjs/common';
import { counter, type Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { LOGGER } from '@shop/service';
import { isOverdrawn } from '../payments/money-back';
import { loadPayments, lockPayment, paymentKey, type PaymentKey } from '../payments/payments.repository';
import type { ShownDispute } from '../payments/provider';
import { PATIENCE_OF_SAGA_MS, ProviderCalls } from '../payments/provider-calls';
import type { Asking } from '../payments/provider-door';
import type { ProviderEventHandler, StoredEvent } from '../webhooks/provider-event';
import type { DisputeStatus } from './dispute';
import { countDisputes, saveDispute } from './disputes.repository';

const disputes = counter('payment_disputes_total', 'Disputes that were opened, won or lost', ['status']);

/** Nobody knows whose an event is before it is looked up. All of them take one turn. */
const TURN = 'disputes';

@Injectable()
export class BookingDisputes implements ProviderEventHandler {
  readonly types = [
    'charge.dispute.created',
    'charge.dispute.updated',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.funds_reinstated',
    'charge.dispute.closed',
  ];

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ProviderCalls) private readonly calls: ProviderCalls,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws RetryableError when the provider does not tell */
  async handle({ objectId }: Pick<StoredEvent, 'objectId'>): Promise<'done' | 'later'> {
    const shown = await this.calls.dispute(objectId, { tenant: TURN, patienceMs: PATIENCE_OF_SAGA_MS });
    return this.book(shown);
  }

  /**
   * Books what nobody has told us yet. A provider refuses to give back what a bank has taken, so whoever meets such a
   * refusal looks here for the reason.
   * @throws RetryableError when the provider does not tell
   */
  async lookUp(key: PaymentKey, asking: Asking): Promise<void> {
    const payment = (await loadPayments(this.database, [key])).get(paymentKey(key));
    if (!payment?.providerReference) return;
    for (const shown of await this.calls.disputesOf(payment.providerReference, asking)) await this.book(shown);
  }

  /** `later`: its payment is not known under the name that the provider gives it. */
  private async book({ payment: about, ...shown }: ShownDispute): Promise<'done' | 'later'> {
    const { id, status, amount, currency, reason, openedAt } = shown;
    if (!about || status === 'inquiry') {
      this.logger.info({ disputeId: id, status, isOurs: about !== undefined }, 'payment.dispute.ignored');
      return 'done';
    }
    const key = { tenant: about.tenant, id: about.id };
    return this.database.transaction(async (tx) => {
      const payment = await lockPayment(tx, key);
      if (payment?.providerReference !== about.reference) return 'later';
      const own = { tenant: key.tenant, id, paymentId: key.id, currency, reason, openedAt };
      // In another currency nobody knows how much it is of ours. So it holds everything.
      const held = currency === payment.currency ? amount : payment.amount;
      const before = await saveDispute(tx, { ...own, amount: held, status });
      const after = await countDisputes(tx, key);
      if (before === status || (before !== undefined && status === 'open')) return 'done';
      tx.afterCommit(() => {
        this.tell({ disputeId: id, paymentId: key.id, amount: held, currency, reason }, status);
        if (isOverdrawn(after)) this.logger.error({ disputeId: id, paymentId: key.id }, 'payment.overdrawn');
      });
      return 'done';
    });
  }

  private tell(about: object, status: DisputeStatus): void {
    disputes.inc({ status });
    if (status === 'won') this.logger.info(about, 'payment.dispute.won');
    else this.logger.warn(about, status === 'lost' ? 'payment.dispute.lost' : 'payment.dispute.opened');
  }
}

/**
 * Finds out what became of refunds that the provider has accepted, and books it.
 *
 * A bank may turn a refund down days later. Then the money is ours again, and the customer is still owed it: the payment
 * counts less as given back, and a person is told, who may give it back in another way.
 */
import { Inject, Injectable } from '@nestjs/common';
import { PaymentRefundFailed } from '@shop/contracts';
import { OutboxRelay } from '@shop/messaging';
import { counter, type Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { LOGGER } from '@shop/service';
import { tellOfPayment } from '../payments/payment-events';
import { addRefunded, lockPayment } from '../payments/payments.repository';
import type { RefundState } from '../payments/provider';
import { PATIENCE_OF_SAGA_MS, ProviderCalls } from '../payments/provider-calls';
import type { ProviderEventHandler, StoredEvent } from '../webhooks/provider-event';
import type { Refund } from './refund';
import { tellRefunded } from './refund-news';
import { findRefund, findRefundOf, type RefundKey, settleRefund } from './refunds.repository';

const failed = counter('payment_refunds_failed_total', 'Refunds that came back after the provider had accepted them');

@Injectable()
export class SettlingRefunds implements ProviderEventHandler {
  readonly types = ['refund.failed', 'refund.updated', 'charge.refund.updated'];

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ProviderCalls) private readonly calls: ProviderCalls,
    @Inject(OutboxRelay) private readonly relay: Pick<OutboxRelay, 'wake'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** `later`: no refund is known under this name yet. It may be on its way. */
  async handle({ objectId }: Pick<StoredEvent, 'objectId'>): Promise<'done' | 'later'> {
    const refund = await findRefundOf(this.database, objectId);
    if (!refund) return 'later';
    await this.look(refund);
    return 'done';
  }

  /** Asks the provider about a refund. Any number may do this at once. @throws RetryableError when it does not tell */
  async settle(key: RefundKey): Promise<void> {
    const refund = await findRefund(this.database, key);
    if (refund) await this.look(refund);
  }

  private async look(refund: Refund): Promise<void> {
    const { tenant, paymentId, providerReference } = refund;
    if (providerReference === null) return;
    const asking = { ids: { paymentId }, tenant, patienceMs: PATIENCE_OF_SAGA_MS };
    const { status } = await this.calls.retrieveRefund(providerReference, asking);
    if (status !== 'pending') await this.book(refund, status);
  }

  private async book({ tenant, id, paymentId }: Refund, status: Exclude<RefundState, 'pending'>): Promise<void> {
    const key = { tenant, id: paymentId };
    await this.database.transaction(async (tx) => {
      const payment = await lockPayment(tx, key);
      const settled = await settleRefund(tx, { tenant, id }, status);
      if (payment && settled?.status === 'succeeded') tellRefunded(tx, payment, settled, this.relay);
      if (!payment || settled?.status !== 'failed') return;
      const { amount } = settled;
      const { currency, orderId } = payment;
      addRefunded(tx, key, -amount);
      const more = { refundId: id, amount, currency };
      tellOfPayment(tx, PaymentRefundFailed, payment, { what: `refund-failed/${id}`, more });
      tx.afterCommit(() => {
        failed.inc();
        this.logger.error({ paymentId, refundId: id, orderId, amount, currency }, 'payment.refund.failed');
        this.relay.wake();
      });
    });
  }
}

/** Events about charges: whoever hears of one asks the provider what became of the charge, and writes it. */
import { Inject, Injectable } from '@nestjs/common';
import { WaitingPayments } from '../payments/waiting-payments';
import type { Handled, ProviderEventHandler, StoredEvent } from './provider-event';
import { PROVIDER_REPORTS, type ProviderReports } from './provider-reports';

@Injectable()
export class IntentEvents implements ProviderEventHandler {
  readonly types = [
    'payment_intent.requires_action',
    'payment_intent.processing',
    'payment_intent.amount_capturable_updated',
    'payment_intent.succeeded',
    'payment_intent.payment_failed',
    'payment_intent.canceled',
  ];

  constructor(
    private readonly waiting: WaitingPayments,
    @Inject(PROVIDER_REPORTS) private readonly reports: ProviderReports,
  ) {}

  async handle({ objectId, tenant, paymentId }: StoredEvent): Promise<Handled> {
    const named = tenant !== null && paymentId !== null ? { tenant, id: paymentId } : undefined;
    const key = named ?? (await this.reports.paymentOf(objectId));
    // Somebody uses the account for something else too.
    if (!key) return 'ignored';
    const payment = await this.waiting.settle(key);
    // Its row is not committed yet; or it was rolled back, and then the event ends after its last time.
    if (!payment) return 'later';
    // Whoever makes the charge has asked for the money, and has not written yet what the provider said.
    return payment.status === 'pending' && payment.waitsFor === null ? 'later' : 'done';
  }
}

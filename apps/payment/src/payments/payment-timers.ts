/** What the payment service does by itself: it asks about payments and refunds that wait, and counts what will expire. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { endedWithin } from '@shop/resilience';
import { ExpiringAuthorizations } from '../captures/expiring-authorizations';
import { DueRefunds } from '../refunds/due-refunds';
import { DuePayments } from './due-payments';

/** A round that waits for the provider may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class PaymentTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(DuePayments) private readonly due: DuePayments,
    @Inject(DueRefunds) private readonly refunds: DueRefunds,
    @Inject(ExpiringAuthorizations) private readonly expiring: ExpiringAuthorizations,
  ) {}

  onApplicationBootstrap(): void {
    this.due.start();
    this.refunds.start();
    this.expiring.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    const stopping = [this.due, this.refunds, this.expiring].map((timer) => timer.stop());
    await endedWithin(Promise.all(stopping), STOP_WITHIN_MS);
  }
}

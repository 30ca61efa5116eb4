/** What the payment service does by itself: it asks about payments that wait. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { endedWithin } from '@shop/resilience';
import { DuePayments } from './due-payments';

/** A round that waits for the provider may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class PaymentTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(DuePayments) private readonly due: DuePayments) {}

  onApplicationBootstrap(): void {
    this.due.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.due.stop(), STOP_WITHIN_MS);
  }
}

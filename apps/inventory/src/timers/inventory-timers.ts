/** What the inventory service does by itself: it ends reservations whose time is over, and fills queues. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { endedWithin } from '@shop/resilience';
import { FillingBackorders } from '../reservations/filling-backorders';
import { ExpiringReservations } from '../reservations/expiring-reservations';

/** A batch that waits for a lock may take longer. Another replica does what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class InventoryTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(ExpiringReservations) private readonly expiring: ExpiringReservations,
    @Inject(FillingBackorders) private readonly filling: FillingBackorders,
  ) {}

  onApplicationBootstrap(): void {
    this.expiring.start();
    this.filling.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(Promise.all([this.expiring.stop(), this.filling.stop()]), STOP_WITHIN_MS);
  }
}

/** What the service does by itself about events of the provider. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { endedWithin } from '@shop/resilience';
import { EventHousekeeper } from './event-housekeeper';
import { EventWorker } from './event-worker';

/** An event that is left is taken again when its lease ends. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class WebhookTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(EventWorker) private readonly worker: EventWorker,
    @Inject(EventHousekeeper) private readonly housekeeper: EventHousekeeper,
  ) {}

  onApplicationBootstrap(): void {
    this.worker.start();
    this.housekeeper.start();
  }

  /** Runs after HTTP has drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(Promise.all([this.worker.stop(), this.housekeeper.stop()]), STOP_WITHIN_MS);
  }
}

/** The tax side of the invoices, for the module of the service. */
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import { PaymentEnvironment } from '../environment';
import { Tax } from './tax';
import { TaxTaskWorker } from './tax-task-worker';
import { TaxTasksService } from './tax-tasks.service';

/** A round that waits for the tax service may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
class TaxTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(TaxTaskWorker) private readonly worker: TaxTaskWorker) {}

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.worker.stop(), STOP_WITHIN_MS);
  }
}

/** @param tax that of a test. Without it, the environment says where it is. */
export const taxProviders = (tax?: Tax): Provider[] => [
  {
    provide: Tax,
    useFactory: ({ TAX_URL, TAX_API_KEY }: PaymentEnvironment) => tax ?? new Tax({ url: TAX_URL, key: TAX_API_KEY }),
    inject: [PaymentEnvironment],
  },
  {
    provide: TaxTaskWorker,
    useFactory: (database: Database, service: Tax, logger: Logger) =>
      new TaxTaskWorker({ database, tax: service, logger }),
    inject: [Database, Tax, LOGGER],
  },
  TaxTasksService,
  TaxTimers,
];

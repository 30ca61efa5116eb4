/** The parts of invoices and credit notes, for the module of the service. */
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
import { LOGGER, Neighbour, neighbourKeyIn } from '@shop/service';
import { PaymentEnvironment } from '../environment';
import { BringInvoice } from './bring-invoice';
import { CreditingRefunds } from './crediting-refunds';
import { InvoicesService } from './invoices.service';
import { IssueInvoice } from './issue-invoice';
import { Ordered } from './ordered';
import { RecordingInvoices } from './recording-invoices';

/** Somebody waits for the invoice, and the tax service is asked behind this. */
const READ_ORDERS = { deadlineMs: 1_000, maxTries: 2, totalMs: 2_500 };
/** A look takes some milliseconds. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
class CreditTimer implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(CreditingRefunds) private readonly crediting: CreditingRefunds) {}

  onApplicationBootstrap(): void {
    this.crediting.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.crediting.stop(), STOP_WITHIN_MS);
  }
}

export const invoiceProviders: Provider[] = [
  {
    provide: Ordered,
    useFactory: (environment: PaymentEnvironment, logger: Logger) => {
      const { ORDER_URL: url } = environment;
      const key = neighbourKeyIn(environment);
      return new Ordered(new Neighbour({ name: 'order', url, key, logger, ...READ_ORDERS }));
    },
    inject: [PaymentEnvironment, LOGGER],
  },
  {
    provide: CreditingRefunds,
    useFactory: (database: Database, logger: Logger) => new CreditingRefunds({ database, logger }),
    inject: [Database, LOGGER],
  },
  RecordingInvoices,
  IssueInvoice,
  BringInvoice,
  InvoicesService,
  CreditTimer,
];

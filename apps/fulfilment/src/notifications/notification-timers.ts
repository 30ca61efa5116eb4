/** Starts and stops what sends notifications. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { LOGGER, type Neighbour } from '@shop/service';
import { FulfilmentEnvironment } from '../environment';
import { ORDER_SERVICE } from '../orders/orders.module';
import { smtpPasswordIn } from './mail-settings';
import { Mailer } from './mailer';
import { NotificationSender } from './notification-sender';
import { ProfiledRecipients } from './recipients';

/** A mail that is left is looked at again when its lease ends. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class NotificationTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly mailer?: Mailer;
  private readonly sender?: NotificationSender;

  constructor(
    environment: FulfilmentEnvironment,
    database: Database,
    @Inject(ORDER_SERVICE) order: Neighbour,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const { SMTP_URL: url, MAIL_FROM: from, MAIL_DELIVERY: mode, MAIL_PER_SECOND: perSecond } = environment;
    if (url === undefined) return;
    this.mailer = new Mailer({ url, password: smtpPasswordIn(environment), from });
    const recipients = new ProfiledRecipients(order);
    this.sender = new NotificationSender({ database, recipients, mailer: this.mailer, mode, perSecond, logger });
  }

  onApplicationBootstrap(): void {
    if (this.sender) this.sender.start();
    else this.logger.warn({}, 'notification.no_mail_server');
  }

  /** Runs after HTTP has drained. */
  async onApplicationShutdown(): Promise<void> {
    if (this.sender) await endedWithin(this.sender.stop(), STOP_WITHIN_MS);
    this.mailer?.close();
  }
}

/**
 * Sends the notifications whose time has come, at a bounded rate. Every replica does so, each with others: a row is taken
 * for the time of a lease, and whoever finishes names its token.
 *
 * With at-most-once, the row says `sending` before the mail goes out. One that is found so after a crash is parked. With
 * at-least-once it is sent again, under the same name.
 */
import { counter, gauge, inTraceOf, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Pace, Repeating, RetryableError } from '@shop/resilience';
import { CONNECTIONS, type Letter, type Mailer } from './mailer';
import { type DueNotification, messageIdOf } from './notification';
import { beginSending, finishSending, measureNotifications, parkAbandoned, takeDue } from './notifications.repository';
import type { Recipients } from './recipients';
import { write } from './templates';
import { again, type DeliveryMode, later, suppressed, type Verdict, verdictOn } from './verdict';

export interface SenderOptions {
  database: Database;
  recipients: Recipients;
  mailer: Pick<Mailer, 'send' | 'domain'>;
  mode: DeliveryMode;
  /** Mails of this process. */
  perSecond: number;
  logger: Logger;
  /** How often to look when nothing is to do. */
  intervalMs?: number;
  leaseSeconds?: number;
}

const DEFAULT_INTERVAL_MS = 500;
const MEASURE_EVERY_MS = 5_000;
/** More than a turn of the pace, a profile and a mail may take together. */
const LEASE_SECONDS = 90;
/** While some wait for a profile, others use the connections. */
const MAX_IN_WORK = 2 * CONNECTIONS;

const attempts = counter('notification_attempts_total', 'Notifications that were worked on, by what came of it', [
  'template',
  'outcome',
]);
const late = gauge('notification_late_seconds', 'How long the oldest notification that is due has waited');
const parked = gauge('notifications_parked', 'Notifications that an operator has to look at');

export class NotificationSender {
  private readonly jobs: Repeating[];
  private readonly inWork = new Set<Promise<void>>();
  private readonly pace: Pace;
  private readonly stopping = new AbortController();
  private readonly maxInWork: number;
  private readonly leaseSeconds: number;

  constructor(private readonly options: SenderOptions) {
    const { database, perSecond, intervalMs = DEFAULT_INTERVAL_MS, leaseSeconds = LEASE_SECONDS } = options;
    this.leaseSeconds = leaseSeconds;
    this.pace = new Pace({ perSecond });
    // Whoever is taken gets a turn of the pace within about a second.
    this.maxInWork = Math.max(1, Math.min(MAX_IN_WORK, perSecond));
    const measure = async () => {
      const measured = await measureNotifications(database);
      late.set(measured.lateSeconds);
      parked.set(measured.parked);
    };
    const onFailure = this.onFailure;
    this.jobs = [
      new Repeating(() => this.sendDue(), { everyMs: intervalMs, onFailure }),
      new Repeating(measure, { everyMs: MEASURE_EVERY_MS, onFailure }),
    ];
  }

  start(): void {
    for (const job of this.jobs) job.start();
  }

  /** Those that are on their way are finished; the others go back. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the sender stops'));
    await Promise.all(this.jobs.map((job) => job.stop()));
    await Promise.all(this.inWork);
  }

  /** Until nothing is due. A place that gets free is used at once, so that a slow mail holds up no other one. */
  private async sendDue(): Promise<void> {
    const { database, mode, logger } = this.options;
    if (mode === 'at-most-once') {
      const left = await parkAbandoned(database);
      if (left > 0) logger.error({ count: left }, 'notification.abandoned.parked');
    }
    while (!this.stopping.signal.aborted) {
      const limit = this.maxInWork - this.inWork.size;
      const due = await takeDue(database, { limit, leaseSeconds: this.leaseSeconds, mode });
      for (const notification of due) this.begin(notification);
      if (due.length < limit) return;
      await Promise.race(this.inWork);
    }
  }

  private begin(notification: DueNotification): void {
    const work = inTraceOf('send notification', notification.trace, () => this.workOn(notification))
      .catch(this.onFailure)
      .finally(() => this.inWork.delete(work));
    this.inWork.add(work);
  }

  private async workOn(notification: DueNotification): Promise<void> {
    const verdict = await this.attempt(notification).catch((error: unknown) =>
      this.verdictOnFailure(error, notification),
    );
    if (verdict === 'lost' || !(await finishSending(this.options.database, notification, verdict))) {
      this.options.logger.warn(idsOf(notification), 'notification.lease.lost');
      return;
    }
    this.tell(notification, verdict);
  }

  private async attempt(notification: DueNotification): Promise<Verdict | 'lost'> {
    const { database, recipients, mailer, mode } = this.options;
    const { tenant, customerId, id, attempts } = notification;
    await this.pace.take(1, this.stopping.signal);
    const recipient = await recipients.find(tenant, customerId);
    if (!recipient) return suppressed('no_address');
    const { email: address, displayName: name } = recipient;
    const messageId = messageIdOf(id, mailer.domain);
    const letter: Letter = { ...write(notification, recipient), to: { name, address }, messageId, tenant };
    if (this.stopping.signal.aborted) return later('stopped', () => 0, 0);
    if (mode === 'at-most-once' && !(await beginSending(database, notification, this.leaseSeconds))) return 'lost';
    return verdictOn(await mailer.send(letter), { attempts, mode }, Math.random);
  }

  /** Nothing was sent: a mailer does not throw. */
  private verdictOnFailure(error: unknown, notification: DueNotification): Verdict {
    if (this.stopping.signal.aborted) return later('stopped', () => 0, 0);
    if (error instanceof RetryableError) return later('order_away', Math.random);
    this.options.logger.error({ ...idsOf(notification), reason: (error as Error).name }, 'notification.failed');
    return again('not_written', notification.attempts, Math.random);
  }

  private tell(notification: DueNotification, { status, reason }: Verdict): void {
    const { template } = notification;
    const ids = { ...idsOf(notification), template };
    attempts.inc({ template, outcome: status === 'queued' ? 'later' : status });
    if (status === 'parked') this.options.logger.error({ ...ids, reason }, 'notification.parked');
    else if (status === 'queued') this.options.logger.debug({ ...ids, reason }, 'notification.put_off');
    else this.options.logger.info({ ...ids, reason }, `notification.${status}`);
  }

  private readonly onFailure = (error: unknown): void =>
    this.options.logger.warn({ reason: (error as Error).message }, 'notification.look.failed');
}

const idsOf = ({ tenant, id, orderId }: DueNotification) => ({ tenant, notificationId: id, orderId });

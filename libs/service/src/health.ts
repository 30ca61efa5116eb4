/** What a service has to have before it is sent work, and what follows while it has not. */
import type { Health, HealthCheck, Readiness } from '@shop/http';
import type { Broker, ConsumerLag, JetStreamServer } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { type Database, longestStuckMs, troubleOf } from '@shop/postgres';

/** A lane moves many times a second, or fails within seconds. */
const STUCK_MS = 10_000;
/** One look may fail because the process is busy, or has just started. */
const LOOKS_TO_BELIEVE = 2;

const DATABASE = 'database';
const WORK = 'work';

export function healthChecks(
  database: Database,
  broker: Broker,
  server: JetStreamServer,
  lag: ConsumerLag,
): HealthCheck[] {
  return [
    { name: DATABASE, check: () => troubleOf(database) },
    { name: WORK, check: async () => (longestStuckMs() > STUCK_MS ? 'does not move' : undefined) },
    { name: 'broker', check: () => troubleWith(broker) },
    { name: 'consumers', check: async () => lostOf(server) },
    // A replica that got no work would not make it less.
    { name: 'lag', isAdvice: true, check: async () => lag.trouble },
  ];
}

/** Logs when the replica becomes ready or is not any more. While it cannot work, other replicas get its messages. */
export function followHealth(readiness: Readiness, server: JetStreamServer, logger: Logger): void {
  let unready = 0;
  let failures = 0;
  readiness.onLook((health) => {
    if (readiness.isLeaving) return server.stopPulling();
    if (health.ready && unready >= LOOKS_TO_BELIEVE) logger.info('service.ready_again');
    unready = health.ready ? 0 : unready + 1;
    if (unready === LOOKS_TO_BELIEVE) logger.warn({ checks: health.checks }, 'service.not_ready');
    failures = canWork(health) ? 0 : failures + 1;
    if (failures === 0) server.resume();
    else if (failures >= LOOKS_TO_BELIEVE) server.pause();
  });
}

const canWork = ({ checks }: Health): boolean => checks[DATABASE] === 'ok' && checks[WORK] === 'ok';

async function troubleWith(broker: Broker): Promise<string | undefined> {
  if (!broker.isConnected) return 'is not connected';
  await broker.ping();
  return undefined;
}

function lostOf(server: JetStreamServer): string | undefined {
  const mailboxes = [...server.lostMailboxes].map(([mailbox, reason]) => `${mailbox}: ${reason}`);
  return mailboxes.length > 0 ? mailboxes.join('; ') : undefined;
}

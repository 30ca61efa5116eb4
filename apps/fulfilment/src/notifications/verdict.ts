/** What becomes of a notification after somebody has tried to send it. Pure. */
import { type Backoff, delayOf } from '@shop/resilience';
import type { Delivery } from './mailer';
import type { NotificationStatus } from './notification';

/**
 * What is right when the mail server may have a mail, and nobody knows.
 * - `at-least-once`: it is sent again under the same name, by which a mail server can see that it has it already.
 * - `at-most-once`: it is parked, and an operator decides.
 */
export const deliveryModes = ['at-least-once', 'at-most-once'] as const;
export type DeliveryMode = (typeof deliveryModes)[number];

export interface Verdict {
  status: Exclude<NotificationStatus, 'sending'>;
  /** A code. Null for what was sent. */
  reason: string | null;
  /** Whether it counts as an attempt. One in which no mail server was asked does not. */
  counts: boolean;
  /** For what stays queued. */
  delayMs: number;
}

/** A server that says "later" often means minutes (greylisting), and after hours something is wrong with it. */
const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 3_600_000, factor: 2 };
/** About four days, which is how long RFC 5321 asks to try. */
export const MAX_ATTEMPTS = 100;
/** For a mail server or an order service that cannot be reached: nothing is wrong with the mail. */
const AWAY_MS = 5_000;

export function verdictOn(
  delivery: Delivery,
  { attempts, mode }: { attempts: number; mode: DeliveryMode },
  random: () => number,
): Verdict {
  switch (delivery.outcome) {
    case 'sent':
      return { status: 'sent', reason: null, counts: true, delayMs: 0 };
    case 'refused':
      return { status: 'parked', reason: delivery.reason, counts: true, delayMs: 0 };
    case 'unknown':
      if (mode === 'at-most-once') return { status: 'parked', reason: 'outcome_unknown', counts: true, delayMs: 0 };
      return again(delivery.reason, attempts, random);
    case 'again':
      return again(delivery.reason, attempts, random);
    case 'away':
      return later(delivery.reason, random, delivery.retryAfterMs);
  }
}

/** For a cause that has nothing to do with this mail. */
export function later(reason: string, random: () => number, afterMs = AWAY_MS): Verdict {
  return { status: 'queued', reason, counts: false, delayMs: spread(afterMs, random) };
}

export const suppressed = (reason: string): Verdict => ({ status: 'suppressed', reason, counts: false, delayMs: 0 });

/** After the last attempt an operator sees it, with what was wrong at last. */
export function again(reason: string, attempts: number, random: () => number): Verdict {
  if (attempts + 1 >= MAX_ATTEMPTS) return { status: 'parked', reason, counts: true, delayMs: 0 };
  return { status: 'queued', reason, counts: true, delayMs: spread(delayOf(BACKOFF, attempts + 1), random) };
}

/** Those who failed together do not come back together; and never at once, because the other side has asked for time. */
const spread = (ms: number, random: () => number): number => Math.round(ms * (0.5 + random() / 2));

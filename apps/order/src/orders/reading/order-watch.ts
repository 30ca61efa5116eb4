/** Tells waiting requests that an order has moved, whichever replica moved it. */
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type SeatLimits, Seats } from '@shop/idempotency';
import { Broker } from '@shop/messaging';
import { counter } from '@shop/observability';

/** Plain NATS, not JetStream: a hint may be lost, and a waiting request looks again once a second. */
const SUBJECT = 'note.order.moved';

/** Answers that are held back until the order has ended. Each looks again once a second. */
export const WAITING: SeatLimits = { perTenant: 500, inAll: 2_000 };
/** Streams of events. Each stays for minutes. A tenant that has more to wait for may ask later. */
export const LISTENING: SeatLimits = { perTenant: 200, inAll: 1_000 };

const ignored = counter(
  'order_hints_ignored_total',
  'Messages of other replicas that are no hints, or have some that are none',
);

/** An order (by `keyOf`) has moved. It is settled if it is confirmed or cancelled now; or it waits for its customer. */
export interface Hint {
  key: string;
  settled: boolean;
  waits?: boolean;
}

interface Waiter {
  wake: () => void;
  stop: () => void;
  untilSettled: boolean;
}

/** A wait for one order. */
export interface Watching {
  /** True when the order has moved (or is settled). False when the time is over or nobody waits any more. */
  moved: Promise<boolean>;
  stop: () => void;
}

@Injectable()
export class OrderWatch implements OnModuleInit, OnModuleDestroy {
  /** True when the service is stopping. New waits are refused, because the stop would have to wait for them. */
  stopped = false;
  /** For answers that wait, and for streams. Requests that do neither need no seat. */
  readonly waits = new Seats(WAITING);
  readonly streams = new Seats(LISTENING);
  private readonly waiting = new Map<string, Set<Waiter>>();

  constructor(private readonly broker: Broker) {}

  /** The number of waits in this replica. */
  get size(): number {
    return [...this.waiting.values()].reduce((sum, waiters) => sum + waiters.size, 0);
  }

  onModuleInit(): void {
    this.broker.subscribe(SUBJECT, (message) => {
      for (const hint of hintsIn(message.string())) this.wake(hint);
    });
  }

  onModuleDestroy(): void {
    this.stopped = true;
    for (const waiters of [...this.waiting.values()]) for (const { stop } of [...waiters]) stop();
  }

  /** With `untilSettled`, only a move counts that settles the order, or makes it wait for its customer. */
  watch(key: string, timeoutMs: number, { untilSettled = false } = {}): Watching {
    let finish!: (moved: boolean) => void;
    const moved = new Promise<boolean>((resolve) => {
      const waiters = this.waiting.get(key) ?? new Set();
      this.waiting.set(key, waiters);
      finish = (hasMoved) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        if (waiters.size === 0 && this.waiting.get(key) === waiters) this.waiting.delete(key);
        resolve(hasMoved);
      };
      const waiter = { wake: () => finish(true), stop: () => finish(false), untilSettled };
      const timer = setTimeout(() => finish(false), timeoutMs);
      waiters.add(waiter);
    });
    if (this.stopped) finish(false);
    return { moved, stop: () => finish(false) };
  }

  /** Announces what this replica has committed: ends the waits here, and tells the other replicas. */
  announce(hints: readonly Hint[]): void {
    for (const hint of hints) this.wake(hint);
    const { nats } = this.broker;
    if (!nats.isClosed()) nats.publish(SUBJECT, JSON.stringify(hints));
  }

  private wake({ key, settled, waits }: Hint): void {
    for (const waiter of [...(this.waiting.get(key) ?? [])]) {
      if (settled || waits || !waiter.untilSettled) waiter.wake();
    }
  }
}

/**
 * A hint only makes a request look again. So bytes that are not our hints (perhaps from a newer version, perhaps from a
 * stranger) are counted and ignored: a line in the log for each could fill it.
 */
function hintsIn(text: string): Hint[] {
  const sent = parsed(text);
  const hints = Array.isArray(sent) ? (sent as unknown[]) : [];
  const ours = hints.filter((hint): hint is Hint => typeof (hint as Partial<Hint> | null)?.key === 'string');
  if (ours.length === 0 || ours.length < hints.length) ignored.inc();
  return ours;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

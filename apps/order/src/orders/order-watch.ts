/** Tells waiting requests that an order has moved, whichever replica moved it. */
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Broker } from '@shop/messaging';
import { type Logger } from '@shop/observability';
import { LOGGER } from '@shop/service';
import { OpenOrders } from './open-orders';
import type { Order } from './order';

/** Plain NATS, not JetStream: a hint may be lost, and who waits looks again now and then. */
const SUBJECT = 'note.order.moved';

/** An order (by `keyOf`) has moved; settled when it is confirmed or cancelled now. */
export interface Hint {
  key: string;
  settled: boolean;
  /** Nobody can wait yet for an order that was not there. */
  isNew: boolean;
}

interface Waiter {
  wake: () => void;
  take: (order: Order) => void;
  stop: () => void;
  untilSettled: boolean;
}

/** Waiting for one order. */
export interface Watching {
  /**
   * True when it has moved (or is settled), false when the time is over or nobody waits any more; the settled order
   * where this replica has settled it meanwhile.
   */
  moved: Promise<Order | boolean>;
  stop: () => void;
}

@Injectable()
export class OrderWatch implements OnModuleInit, OnModuleDestroy {
  /** The service is stopping: nobody may wait any more, or it would wait for them. */
  stopped = false;
  /** Those that this replica knows to be open, unless another one has settled them a moment ago. */
  readonly open = new OpenOrders();
  private readonly waiting = new Map<string, Set<Waiter>>();

  constructor(
    private readonly broker: Broker,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** How many wait here. */
  get size(): number {
    return [...this.waiting.values()].reduce((sum, waiters) => sum + waiters.size, 0);
  }

  onModuleInit(): void {
    this.broker.nats.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error) this.logger.warn({ reason: error.message }, 'order.watch.failed');
        else for (const hint of message.json<Hint[]>()) this.wake(hint);
      },
    });
  }

  onModuleDestroy(): void {
    this.stopped = true;
    for (const waiters of [...this.waiting.values()]) for (const { stop } of [...waiters]) stop();
  }

  /** With `untilSettled` moves on the way do not count. */
  watch(key: string, timeoutMs: number, { untilSettled = false } = {}): Watching {
    let finish!: (moved: Order | boolean) => void;
    const moved = new Promise<Order | boolean>((resolve) => {
      const waiters = this.waiting.get(key) ?? new Set();
      this.waiting.set(key, waiters);
      finish = (hasMoved) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        if (waiters.size === 0 && this.waiting.get(key) === waiters) this.waiting.delete(key);
        resolve(hasMoved);
      };
      const waiter = { wake: () => finish(true), take: finish, stop: () => finish(false), untilSettled };
      const timer = setTimeout(() => finish(false), timeoutMs);
      waiters.add(waiter);
    });
    if (this.stopped) finish(false);
    return { moved, stop: () => finish(false) };
  }

  /** Who waits here until this order is settled; each takes it in place of a hint. */
  takersOf(key: string): ((order: Order) => void)[] {
    return [...(this.waiting.get(key) ?? [])].filter(({ untilSettled }) => untilSettled).map(({ take }) => take);
  }

  /** What this replica has committed: wakes who waits here, and tells the other replicas. */
  announce(hints: readonly Hint[]): void {
    for (const { key, settled } of hints) if (!settled) this.open.add(key);
    const moved = hints.filter(({ isNew }) => !isNew);
    if (moved.length === 0) return;
    for (const hint of moved) this.wake(hint);
    const { nats } = this.broker;
    if (!nats.isClosed()) nats.publish(SUBJECT, JSON.stringify(moved));
  }

  private wake({ key, settled }: Hint): void {
    if (settled) this.open.delete(key);
    for (const waiter of [...(this.waiting.get(key) ?? [])]) if (settled || !waiter.untilSettled) waiter.wake();
  }
}

/** Tells waiting requests that an order has moved, whichever replica moved it. */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Broker } from '@shop/messaging';
import { type Logger } from '@shop/observability';
import { LOGGER } from '@shop/service';

/** Plain NATS, not JetStream: a hint may be lost, and who waits looks again now and then. */
const SUBJECT = 'note.order.moved';

@Injectable()
export class OrderWatch implements OnModuleInit {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(
    private readonly broker: Broker,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.broker.nats.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error) this.logger.warn({ reason: error.message }, 'order.watch.failed');
        else for (const key of message.json<string[]>()) this.wake(key);
      },
    });
  }

  /** Resolves true when the order (by `keyOf`) has moved, false when `timeoutMs` have passed. */
  moved(key: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiters = this.waiting.get(key) ?? new Set();
      this.waiting.set(key, waiters);
      const finish = (moved: boolean) => {
        clearTimeout(timer);
        waiters.delete(wake);
        if (waiters.size === 0 && this.waiting.get(key) === waiters) this.waiting.delete(key);
        resolve(moved);
      };
      const wake = () => finish(true);
      const timer = setTimeout(() => finish(false), timeoutMs);
      waiters.add(wake);
      signal?.addEventListener('abort', () => finish(false), { once: true });
    });
  }

  announce(keys: string[]): void {
    for (const key of keys) this.wake(key);
    if (keys.length > 0 && !this.broker.nats.isClosed()) this.broker.nats.publish(SUBJECT, JSON.stringify(keys));
  }

  private wake(key: string): void {
    for (const wake of [...(this.waiting.get(key) ?? [])]) wake();
  }
}

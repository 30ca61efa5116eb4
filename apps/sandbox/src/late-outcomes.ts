/** Lets the bank decide by itself, some time after an intent or a refund has begun to wait for it. */
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Settings } from './settings';
import { Books, type Kept } from './stripe/books';
import { Intents } from './stripe/intents';
import { Refunds } from './stripe/refunds';
import { sourceOf } from './stripe/sources';

@Injectable()
export class LateOutcomes implements OnModuleDestroy {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly books: Books,
    private readonly intents: Intents,
    private readonly refunds: Refunds,
    private readonly settings: Settings,
  ) {
    books.onEntry((kept) => this.schedule(kept));
    settings.onChange(() => {
      this.onModuleDestroy();
      this.schedule([...books.intents.all(), ...books.refunds.all()]);
    });
  }

  onModuleDestroy(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private schedule(objects: readonly Kept[]): void {
    const { settleAfterMs } = this.settings.current();
    if (settleAfterMs === undefined) return;
    for (const object of objects) {
      if (this.timers.has(object.id) || !this.decisionOn(object)) continue;
      this.timers.set(
        object.id,
        setTimeout(() => this.decide(object.id), settleAfterMs),
      );
    }
  }

  private decide(id: string): void {
    this.timers.delete(id);
    // An admin may have decided meanwhile, or emptied the books.
    const object = this.books.find(id);
    if (object) this.decisionOn(object)?.();
  }

  /** What the bank will decide about an object that waits for it. */
  private decisionOn(object: Kept): (() => unknown) | undefined {
    if (object.object === 'payment_intent') {
      return object.status === 'processing' ? () => this.intents.happen(object.id, 'settle') : undefined;
    }
    if (object.object !== 'refund') return undefined;
    if (object.status === 'pending') return () => this.refunds.settle(object.id);
    const source = this.books.charges.find(object.charge)?.payment_method;
    const fails = object.status === 'succeeded' && sourceOf(source ?? '')?.refunds === 'failing';
    return fails ? () => this.refunds.fail(object.id) : undefined;
  }
}

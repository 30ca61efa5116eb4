/**
 * Hands a settled order to who waits for it, so that nobody need read what this replica has just written.
 *
 * It goes only to those who waited already when the settling transaction was still to be sent. What they get was true at
 * its commit, and that lies within the time of their own request, like the moment of a read. Who came later may have
 * seen more than that: another replica may have begun to cancel the order before this one hears of its own commit. So
 * they are only woken, and read.
 */
import type { SagaChange } from '@shop/saga';
import type { Order } from './order';
import type { OrderWatch } from './order-watch';

interface Settling {
  change: SagaChange;
  /** The order, by `keyOf`. */
  key: string;
}

interface Prepared {
  takers: ((order: Order) => void)[];
  order: Promise<Order | undefined>;
}

export class Handover {
  /** Of transactions that are under way; what was rolled back goes with its changes. */
  private readonly prepared = new WeakMap<SagaChange, Prepared>();

  constructor(private readonly watch: Pick<OrderWatch, 'takersOf'>) {}

  /**
   * Belongs into the transaction, and answers whether anybody waits here for one of these orders.
   * @param write writes them and answers them as they are then, by `keyOf`; not called when nobody waits
   */
  prepare(settling: readonly Settling[], write: () => Promise<ReadonlyMap<string, Order>>): boolean {
    const awaited = settling
      .map(({ change, key }) => ({ change, key, takers: this.watch.takersOf(key) }))
      .filter(({ takers }) => takers.length > 0);
    if (awaited.length === 0) return false;
    const writing = write();
    // A transaction that fails says so itself, and nobody asks for its orders.
    writing.catch(() => undefined);
    for (const { change, key, takers } of awaited) {
      const order = writing.then((orders) => orders.get(key));
      order.catch(() => undefined);
      this.prepared.set(change, { takers, order });
    }
    return true;
  }

  /** After the commit. */
  async complete(changes: readonly SagaChange[]): Promise<void> {
    for (const change of changes) {
      const prepared = this.prepared.get(change);
      if (!prepared) continue;
      const order = await prepared.order;
      if (order) for (const take of prepared.takers) take(order);
    }
  }
}

/** Placing, reading, awaiting and cancelling orders. */
import { Injectable } from '@nestjs/common';
import { Ledger, type Outcome, RecentKeys } from '@shop/idempotency';
import { newTraceparent } from '@shop/observability';
import { Database, GATHER_MS, Lane } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { RetryableError } from '@shop/resilience';
import { SagaEngine } from '@shop/saga';
import { PriceMemory } from '../products/price-memory';
import { isSettled, type Order } from './order';
import { CANCELLED_BY_CLIENT, cancellation } from './order-sagas';
import { OrderWatch } from './order-watch';
import { findOrders, keyOf, type OrderKey, startCancelling } from './orders.repository';
import { placeOrders, type PlaceRequest } from './place-orders';

/** Who waits for an order looks again after this long, in case the hint was lost. */
const LOOK_AGAIN_MS = 1_000;

@Injectable()
export class OrdersService {
  private readonly placing: Lane<PlaceRequest, Outcome>;
  private readonly reading: Lane<OrderKey, Order | undefined>;

  constructor(
    private readonly database: Database,
    private readonly engine: SagaEngine,
    private readonly watch: OrderWatch,
    ledger: Ledger,
  ) {
    const options = { database, ledger, engine, recentKeys: new RecentKeys(), priceMemory: new PriceMemory() };
    this.placing = new Lane({
      gatherMs: GATHER_MS,
      run: async (batch) => {
        const { outcomes, changes } = await placeOrders(options, batch);
        engine.committed(changes);
        return outcomes;
      },
    });
    this.reading = new Lane({ run: (keys) => findOrders(database, keys) });
  }

  place(request: PlaceRequest): Promise<Outcome> {
    return this.placing.submit(request);
  }

  find(key: OrderKey): Promise<Order | undefined> {
    return this.reading.submit(key);
  }

  /** @throws Problem 404 `order_not_found`, also for another tenant's order */
  async get(key: OrderKey): Promise<Order> {
    const order = await this.find(key);
    if (!order) throw new Problem(404, 'order_not_found', 'there is no order with this id');
    return order;
  }

  /** The order once it is confirmed or cancelled, or as it is when `waitMs` have passed or the client is gone. */
  async getSettled(key: OrderKey, waitMs: number, isGone: () => boolean): Promise<Order> {
    const deadline = performance.now() + waitMs;
    for (let waited = false; ; waited = true) {
      const wait = Math.max(0, Math.min(LOOK_AGAIN_MS, deadline - performance.now()));
      // Asked for before looking, so that a move between the two is not missed.
      const watching = this.watch.watch(keyOf(key), wait, { untilSettled: true });
      try {
        // What is open by our own word is waited for first, once: a lost hint costs no more than it always does.
        if (waited || !this.watch.open.has(keyOf(key))) {
          const order = await this.get(key);
          if (isSettled(order)) this.watch.open.delete(keyOf(key));
          if (isSettled(order) || performance.now() >= deadline || isGone() || this.watch.stopped) return order;
        }
        const moved = await watching.moved;
        if (typeof moved === 'object') return moved;
      } finally {
        watching.stop();
      }
    }
  }

  /**
   * Repeating it changes nothing.
   * @param allow throws when the order must not be cancelled as it is now; not asked when it is being cancelled anyway
   * @throws Problem 404 `order_not_found`
   * @throws RetryableError for a saga of a version that this replica does not know
   */
  async cancel(key: OrderKey, allow: (order: Order) => void = () => undefined): Promise<void> {
    let order = await this.get(key);
    if (order.status === 'pending') {
      allow(order);
      const notMoved = await this.engine.dispatch(order.sagaId, {
        type: 'cancel-requested',
        reason: CANCELLED_BY_CLIENT,
      });
      if (notMoved === 'unknown-version')
        throw new RetryableError('the saga belongs to a newer version of this service');
      order = await this.get(key);
    }
    if (order.status !== 'confirmed') return;
    allow(order);
    const saga = cancellation({ tenant: key.tenant, orderId: key.id, placedBy: order.sagaId }, newTraceparent());
    const changes = await this.database.transaction(async (tx) => {
      const started = await startCancelling(tx, key, CANCELLED_BY_CLIENT, saga.id);
      return started ? this.engine.begin(tx, [saga]) : [];
    });
    this.engine.committed(changes);
  }
}

/** Places, reads, awaits and cancels orders. */
import { Injectable } from '@nestjs/common';
import { type Caller, isVisible } from '@shop/http';
import { Idempotency, type Outcome } from '@shop/idempotency';
import { currentSpan, newTraceparent } from '@shop/observability';
import { Database, GATHER_MS, Lane } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { Bulkhead, RetryableError } from '@shop/resilience';
import { Sealer } from '@shop/sealing';
import { findSaga, findTrace, SagaEngine, type SagaView, withoutOperators } from '@shop/saga';
import { isSettled, needsCustomer, type Order } from './order';
import { findOrders, keyOf, type OrderKey, startCancelling } from './orders.repository';
import { Admission } from './placing/admission';
import type { PlaceRequest } from './placing/place-request';
import { placeOrders } from './placing/place-orders';
import { OrderWatch } from './reading/order-watch';
import { CANCELLED_BY_CLIENT, cancellation } from './sagas/update-orders';

/** A request that waits for an order looks again after this time, because a hint may be lost. */
const LOOK_AGAIN_MS = 1_000;
/** Sagas that are read at once. Each takes a connection. */
const STORIES_AT_ONCE = 2;
/** As many as a tenant may have streams, and some more. */
const MAX_WAITING_STORIES = 1_000;
const MAX_WAIT_MS = 5_000;

export interface WaitingClient {
  isGone: () => boolean;
  /** Whether the client has this version of the order already. */
  isKnown?: (order: Order) => boolean;
}

@Injectable()
export class OrdersService {
  private readonly placing: Lane<PlaceRequest, Outcome>;
  private readonly reading: Lane<OrderKey, Order | undefined>;
  private readonly telling = new Bulkhead({ calls: STORIES_AT_ONCE, maxWaiting: MAX_WAITING_STORIES });

  constructor(
    private readonly database: Database,
    private readonly engine: SagaEngine,
    private readonly watch: OrderWatch,
    private readonly admission: Admission,
    private readonly idempotency: Idempotency,
    sealer: Sealer,
  ) {
    const { ledger } = idempotency;
    this.placing = new Lane({
      name: 'place-orders',
      gatherMs: GATHER_MS,
      turnOf: ({ caller }) => caller.tenant,
      run: (batch) => placeOrders({ database, ledger, engine, sealer }, batch),
    });
    this.reading = new Lane({
      name: 'read-orders',
      turnOf: ({ tenant }) => tenant,
      run: (keys) => findOrders(database, keys),
    });
  }

  /** @throws Problem 429 `too_many_open_orders` or 503 `overloaded` when there is no room for one more open order */
  async place(request: PlaceRequest): Promise<Outcome> {
    const { tenant } = request.caller;
    const place = () => this.placing.submit(request);
    // A repeat needs no room, and is answered as the first one was.
    if (this.admission.isFullFor(tenant) && (await this.isRepeat(request))) return place();
    return this.admission.run(tenant, place);
  }

  private async isRepeat({ caller, claim, id }: PlaceRequest): Promise<boolean> {
    if (id) return (await this.findForAll({ tenant: caller.tenant, id })) !== undefined;
    return (await this.idempotency.find(claim)) !== undefined;
  }

  /** The order of this tenant with this id, whoever has placed it. */
  findForAll(key: OrderKey): Promise<Order | undefined> {
    return this.reading.submit(key);
  }

  /** The order, when whoever asks with this key sees it. */
  async find(key: OrderKey): Promise<Order | undefined> {
    const order = await this.findForAll(key);
    return order && isVisible(order, key) ? order : undefined;
  }

  /** @throws Problem 404 `order_not_found`, also for an order of another tenant or of somebody else */
  async get(key: OrderKey): Promise<Order> {
    const order = await this.find(key);
    if (!order) throw new Problem(404, 'order_not_found', 'there is no order with this id');
    return order;
  }

  /** The saga that places the order, and the one that cancels it, if any, as this caller may see them. */
  async sagasOf({ tenant, sagaId, cancelSagaId }: Order, { roles }: Pick<Caller, 'roles'>): Promise<SagaView[]> {
    const ids = cancelSagaId ? [sagaId, cancelSagaId] : [sagaId];
    // Each stream asks for them at each move of its order.
    const turn = { turn: tenant, maxWaitMs: MAX_WAIT_MS };
    const find = (id: string) => this.telling.run(() => findSaga(this.database, id), turn);
    const sagas = await Promise.all(ids.map(find));
    const found = sagas.filter((saga) => saga !== undefined);
    return roles.includes('operator') ? found : found.map(withoutOperators);
  }

  /**
   * Returns the order when it is confirmed or cancelled, or waits for its customer and `isKnown` does not say that the
   * client knows this. After `waitMs`, or when the client is gone, returns it as it is.
   * @throws Problem 429 `too_many_waiting` when too many requests of the tenant wait
   */
  async getSettled(key: OrderKey, waitMs: number, client: WaitingClient): Promise<Order> {
    const leave = this.watch.waits.take(key.tenant);
    try {
      return await this.untilSettled(key, waitMs, client);
    } finally {
      leave();
    }
  }

  private async untilSettled(key: OrderKey, waitMs: number, { isGone, isKnown }: WaitingClient): Promise<Order> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const wait = Math.max(0, Math.min(LOOK_AGAIN_MS, deadline - performance.now()));
      // The watch starts before the look, so that no move between the two is missed.
      const watching = this.watch.watch(keyOf(key), wait, { untilSettled: true });
      try {
        const order = await this.get(key);
        const isNews = isSettled(order) || (needsCustomer(order) && !isKnown?.(order));
        if (isNews || performance.now() >= deadline || isGone() || this.watch.stopped) return order;
        await watching.moved;
      } finally {
        watching.stop();
      }
    }
  }

  /**
   * Cancels the order; a repeat changes nothing.
   * @param allow throws when the order must not be cancelled as it is now; it is not called when the order is being
   * cancelled already
   * @throws Problem 404 `order_not_found`, or 409 `already_shipped`
   * @throws RetryableError for a saga of a version that this replica does not know
   */
  async cancel(key: OrderKey, allow: (order: Order) => void = () => undefined): Promise<void> {
    let order = await this.get(key);
    if (order.status === 'pending') {
      allow(order);
      const notMoved = await this.engine.dispatch(
        order.sagaId,
        { type: 'cancel-requested', reason: CANCELLED_BY_CLIENT },
        { tenant: key.tenant },
      );
      if (notMoved === 'unknown-version')
        throw new RetryableError('the saga belongs to a newer version of this service');
      order = await this.get(key);
    }
    if (order.status !== 'confirmed') return;
    allow(order);
    // Only a hint. Whether a delivery can still be stopped is decided by the saga, and not here.
    if (order.deliveredAt !== undefined || order.cancellationRefused !== undefined) throw alreadyShipped();
    const { sagaId: placedBy, promotions } = order;
    const codes = promotions?.map(({ code }) => code);
    const data = { tenant: key.tenant, orderId: key.id, placedBy, ...(codes && { promotions: codes }) };
    const cause = currentSpan()?.traceparent;
    const isBegun = await this.database.transaction(async (tx) => {
      const saga = cancellation(data, newTraceparent());
      const [started, trace] = await Promise.all([
        startCancelling(tx, key, CANCELLED_BY_CLIENT, saga.id),
        findTrace(tx, placedBy),
      ]);
      // All sagas of an order are one trace.
      if (started) this.engine.begin(tx, [{ ...saga, traceparent: trace ?? saga.traceparent, cause }]);
      return started !== undefined;
    });
    // Another wish was there first. It may be refused by now.
    if (!isBegun && (await this.get(key)).cancellationRefused !== undefined) throw alreadyShipped();
  }
}

const alreadyShipped = (): Problem =>
  new Problem(409, 'already_shipped', 'the order is delivered, or its delivery cannot be stopped any more');

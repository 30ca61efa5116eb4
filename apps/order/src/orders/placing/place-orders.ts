/** Accepts orders: one transaction turns a batch of requests into orders, sagas and stored answers. */
import { customerHash, placeOfSource } from '@shop/contracts';
import {
  alreadySubmitted,
  type Answer,
  type Ledger,
  type Outcome,
  refusalOf,
  reusedAnswer,
  runOnce,
} from '@shop/idempotency';
import { type Database, databaseTime, isUniqueViolation, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import type { NewSaga, SagaEngine } from '@shop/saga';
import type { Sealer } from '@shop/sealing';
import { v7 as uuidv7 } from 'uuid';
import { loadPrices, type Money, priceKey, type ProductKey } from '../../products/product';
import type { Order } from '../order';
import type { PaymentBody } from '../order.body';
import { createdAnswer } from '../order.view';
import {
  insertOrders,
  keyOf,
  loadPlacedAs,
  loadRequestHashes,
  type NewOrder,
  ORDERS_NATURAL_KEY,
  ORDERS_PRIMARY_KEY,
  type PlacedOrder,
} from '../orders.repository';
import { placeOrder, type PlaceOrder } from '../sagas/place-order.saga';
import { cartOf, loadCarts, orderCart, type OrderedCarts, saveCarts, wantedPromotions } from './cart-orders';
import { contentOf, orderableCart, type OrderContent } from './order-content';
import { placedAsOf, type PlaceRequest } from './place-request';

interface State {
  prices: Map<string, Money>;
  /** The request hashes of the ids from clients that are taken. */
  requestHashes: Map<string, Buffer>;
  /** By natural key: the orders that were placed under keys that the ledger has forgotten. */
  placedBefore: Map<string, PlacedOrder>;
  carts: OrderedCarts;
  /** The time of the transaction, by the clock of the database. */
  now: Date;
  orders: NewOrder[];
  sagas: NewSaga<PlaceOrder>[];
}

export interface PlaceOrdersOptions {
  database: Database;
  ledger: Ledger;
  engine: SagaEngine;
  sealer: Sealer;
}

export function placeOrders(
  { database, ledger, engine, sealer }: PlaceOrdersOptions,
  requests: readonly PlaceRequest[],
): Promise<Outcome[]> {
  // A key almost never comes again after the ledger has forgotten it. So the first attempt does not read these orders.
  // The index finds a repeat.
  let askPlacedBefore = false;
  return runOnce<State>(
    database,
    ledger,
    requests,
    {
      load: (tx) => load(tx, requests, askPlacedBefore),
      decide: (state, index) => decideOrder(state, requests[index]!, sealer),
      save: (tx, state) => {
        insertOrders(tx, state.orders);
        saveCarts(tx, state.carts);
        engine.begin(tx, state.sagas);
      },
    },
    {
      retryOn: (error) => {
        const isRepeated = isUniqueViolation(error, ORDERS_NATURAL_KEY);
        askPlacedBefore ||= isRepeated;
        // Another replica has taken the id from the client meanwhile. Run again and see its order.
        return isRepeated || isUniqueViolation(error, ORDERS_PRIMARY_KEY);
      },
    },
  );
}

async function load(tx: Tx, requests: readonly PlaceRequest[], askPlacedBefore: boolean): Promise<State> {
  const chosen = requests.flatMap(({ caller, id }) => (id ? [{ tenant: caller.tenant, id }] : []));
  const unnamed = askPlacedBefore ? requests.filter(({ id }) => !id).map(({ claim }) => placedAsOf(claim)) : [];
  // The carts come first: what is read behind their locks knows what the last owner of the locks has ordered.
  const [carts, prices, requestHashes, placedBefore, now] = await Promise.all([
    loadCarts(tx, requests),
    loadPrices(tx, productsOf(requests)),
    loadRequestHashes(tx, chosen),
    loadPlacedAs(tx, unnamed),
    databaseTime(tx),
  ]);
  for (const [key, price] of carts.prices) prices.set(key, price);
  return { prices, requestHashes, placedBefore, carts, now, orders: [], sagas: [] };
}

/** The requested products, each once. */
function productsOf(requests: readonly PlaceRequest[]): ProductKey[] {
  const products = new Map<string, ProductKey>();
  for (const { caller, body } of requests) {
    for (const { sku } of body.items ?? []) products.set(priceKey(caller.tenant, sku), { tenant: caller.tenant, sku });
  }
  return [...products.values()];
}

/** Decides one order in memory: it is priced and accepted, or refused for good. */
function decideOrder(state: State, request: PlaceRequest, sealer: Sealer): Answer {
  const { caller, body, claim, id, traceparent } = request;
  const { tenant, principal: placedBy } = caller;
  // A PUT uses up no key. A refused PUT may be accepted later, and its id stays free.
  const refuse = (problem: Problem): Answer => ({ ...refusalOf(problem), kept: !id });
  const taken = id && state.requestHashes.get(keyOf({ tenant, id }));
  if (taken) return taken.equals(claim.fingerprint) ? alreadyThere : refuse(orderIdConflict());
  const placedAs = id ? undefined : placedAsOf(claim);
  const before = placedAs && state.placedBefore.get(placedAs);
  if (before) return before.requestHash.equals(claim.fingerprint) ? submittedBefore(before) : reusedAnswer();
  try {
    const cart =
      body.cartId === undefined ? undefined : orderableCart(cartOf(state.carts, tenant, body.cartId), caller);
    const wanted = cart ? wantedPromotions(state.carts, cart) : [];
    const content = contentOf({ tenant, body, cart, wanted, prices: state.prices, now: state.now });
    const order = newOrder(id ?? uuidv7(), { tenant, placedBy, ...content, now: state.now, ownId: !id });
    state.orders.push({ order, requestHash: claim.fingerprint, placedAs });
    if (id) state.requestHashes.set(keyOf(order), claim.fingerprint);
    if (cart) orderCart(state.carts, cart, order);
    state.sagas.push({
      id: order.sagaId,
      definition: placeOrder,
      data: sagaData(order, body.payment, sealer),
      traceparent,
    });
    return createdAnswer(order);
  } catch (error) {
    if (error instanceof Problem) return refuse(error);
    throw error;
  }
}

/** For a PUT whose order exists. The caller answers it with the current order. */
const alreadyThere: Answer = { status: 200, body: '{}' };

const submittedBefore = ({ id }: PlacedOrder): Answer =>
  refusalOf(
    alreadySubmitted(`/orders/${id}`, 'this order was placed before; the status URL tells how it is getting on'),
  );

export function orderIdConflict(): Problem {
  return new Problem(409, 'order_id_conflict', 'another order has this id');
}

interface NewOrderOptions extends OrderContent, Pick<Order, 'tenant' | 'placedBy'> {
  now: Date;
  /** An id that we made is unique everywhere, so the saga of the order can have the same id. */
  ownId: boolean;
}

function newOrder(id: string, { now, ownId, ...content }: NewOrderOptions): Order {
  const at = now.toISOString();
  return { id, ...content, status: 'pending', version: 1, createdAt: at, updatedAt: at, sagaId: ownId ? id : uuidv7() };
}

function sagaData(order: Order, payment: PaymentBody, sealer: Sealer): PlaceOrder {
  return {
    tenant: order.tenant,
    orderId: order.id,
    lines: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
    amount: order.total.amount,
    currency: order.total.currency,
    source: sealer.seal(payment.source, placeOfSource({ tenant: order.tenant, orderId: order.id })),
    customer: customerHash(order.tenant, order.customerId),
    ...(payment.capture === 'manual' && { capture: payment.capture }),
    ...(order.reservationId && { takes: order.reservationId }),
    ...(order.promotions && { promotions: order.promotions.map(({ code }) => code) }),
  };
}

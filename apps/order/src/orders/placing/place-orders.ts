/** Accepts orders: a batch of requests becomes orders, sagas and stored answers in one transaction. */
import type { Caller } from '@shop/http';
import {
  alreadySubmitted,
  type Answer,
  type Claim,
  fingerprintOf,
  type Ledger,
  naturalKeyOf,
  type Outcome,
  refusalOf,
  reusedAnswer,
  runOnce,
} from '@shop/idempotency';
import { type Database, isUniqueViolation, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import type { NewSaga, SagaEngine } from '@shop/saga';
import { v7 as uuidv7 } from 'uuid';
import { loadPrices, type Money, priceKey, type ProductKey } from '../../products/product';
import { type Order, type OrderBody, priceItems } from '../order';
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

export interface PlaceRequest {
  claim: Claim;
  caller: Caller;
  body: OrderBody;
  traceparent: string;
  /** The id that the client chose (PUT). */
  id?: string;
}

interface State {
  prices: Map<string, Money>;
  /** Of the client-chosen ids that are taken. */
  requestHashes: Map<string, Buffer>;
  /** By natural key: what was placed under a key that the ledger has forgotten. */
  placedBefore: Map<string, PlacedOrder>;
  now: Date;
  orders: NewOrder[];
  sagas: NewSaga<PlaceOrder>[];
}

export interface PlaceOrdersOptions {
  database: Database;
  ledger: Ledger;
  engine: SagaEngine;
}

export function placeOrders(
  { database, ledger, engine }: PlaceOrdersOptions,
  requests: readonly PlaceRequest[],
): Promise<Outcome[]> {
  // Almost no key comes again after the ledger has forgotten it, so the first attempt does not ask; the index tells.
  let askPlacedBefore = false;
  return runOnce<State>(
    database,
    ledger,
    requests,
    {
      load: (tx) => load(tx, requests, askPlacedBefore),
      decide: (state, index) => decideOrder(state, requests[index]!),
      save: (tx, state) => {
        insertOrders(tx, state.orders);
        engine.begin(tx, state.sagas);
      },
    },
    {
      retryOn: (error) => {
        const isRepeated = isUniqueViolation(error, ORDERS_NATURAL_KEY);
        askPlacedBefore ||= isRepeated;
        // A client-chosen id was taken by another replica meanwhile: run again and see its order.
        return isRepeated || isUniqueViolation(error, ORDERS_PRIMARY_KEY);
      },
    },
  );
}

async function load(tx: Tx, requests: readonly PlaceRequest[], askPlacedBefore: boolean): Promise<State> {
  const chosen = requests.flatMap(({ caller, id }) => (id ? [{ tenant: caller.tenant, id }] : []));
  const unnamed = askPlacedBefore ? requests.filter(({ id }) => !id).map(({ claim }) => placedAsOf(claim)) : [];
  const [prices, requestHashes, placedBefore] = await Promise.all([
    loadPrices(tx, productsOf(requests)),
    loadRequestHashes(tx, chosen),
    loadPlacedAs(tx, unnamed),
  ]);
  return { prices, requestHashes, placedBefore, now: new Date(), orders: [], sagas: [] };
}

/** What the requests want, each once. */
function productsOf(requests: readonly PlaceRequest[]): ProductKey[] {
  const products = new Map<string, ProductKey>();
  for (const { caller, body } of requests) {
    for (const { sku } of body.items) products.set(priceKey(caller.tenant, sku), { tenant: caller.tenant, sku });
  }
  return [...products.values()];
}

/** Decides one order in memory: priced and accepted, or refused for good. */
function decideOrder(state: State, { caller, body, claim, id, traceparent }: PlaceRequest): Answer {
  const { tenant } = caller;
  // A PUT has no key of its own to use up: what is refused now may be accepted later, and its id stays free.
  const refuse = (problem: Problem): Answer => ({ ...refusalOf(problem), kept: !id });
  const taken = id && state.requestHashes.get(keyOf({ tenant, id }));
  if (taken) return taken.equals(claim.fingerprint) ? alreadyThere : refuse(orderIdConflict());
  const placedAs = id ? undefined : placedAsOf(claim);
  const before = placedAs && state.placedBefore.get(placedAs);
  if (before) return before.requestHash.equals(claim.fingerprint) ? submittedBefore(before) : reusedAnswer();
  try {
    const { items, total } = priceItems(tenant, body.items, state.prices);
    const order = newOrder(id ?? uuidv7(), {
      tenant,
      customerId: body.customerId,
      items,
      total,
      now: state.now,
      ownId: !id,
    });
    state.orders.push({ order, requestHash: claim.fingerprint, placedAs });
    if (id) state.requestHashes.set(keyOf(order), claim.fingerprint);
    state.sagas.push({ id: order.sagaId, definition: placeOrder, data: sagaData(order, body), traceparent });
    return createdAnswer(order);
  } catch (error) {
    if (error instanceof Problem) return refuse(error);
    throw error;
  }
}

/** For a PUT whose order exists; the caller answers it with the order as it now is. */
const alreadyThere: Answer = { status: 200, body: '{}' };

const submittedBefore = ({ id }: PlacedOrder): Answer =>
  refusalOf(
    alreadySubmitted(`/orders/${id}`, 'this order was placed before; the status URL tells how it is getting on'),
  );

export function orderIdConflict(): Problem {
  return new Problem(409, 'order_id_conflict', 'another order has this id');
}

interface NewOrderOptions extends Pick<Order, 'tenant' | 'customerId' | 'items' | 'total'> {
  now: Date;
  /** An id of ours is unique everywhere, so its saga can share it. */
  ownId: boolean;
}

function newOrder(id: string, { now, ownId, ...content }: NewOrderOptions): Order {
  const at = now.toISOString();
  return { id, ...content, status: 'pending', version: 1, createdAt: at, updatedAt: at, sagaId: ownId ? id : uuidv7() };
}

function sagaData(order: Order, body: OrderBody): PlaceOrder {
  return {
    tenant: order.tenant,
    orderId: order.id,
    lines: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
    amount: order.total.amount,
    currency: order.total.currency,
    source: body.payment.source,
  };
}

/** The claim of a PUT: the client's id is the key, within its tenant, whoever of it calls. */
export function claimOfPut(tenant: string, id: string, body: OrderBody): Claim {
  return { scope: `${tenant}||PUT /orders/:id`, key: id, fingerprint: fingerprintOf(body) };
}

/** Names a POST behind the ledger: the first 16 bytes of its natural key, in hexadecimal. */
const placedAsOf = (claim: Claim): string => naturalKeyOf(claim).slice(0, 32);

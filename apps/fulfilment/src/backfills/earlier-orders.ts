/**
 * The backfill of what fulfilment has never heard: of orders that were confirmed before there was this service, and what
 * the broker has lost and keeps no longer.
 *
 * It reads the lists of the order service, tenant by tenant, and notes what they tell as if it had been heard. What follows
 * from a heard order follows from it: points for all, and for those of before no mail and no delivery of ours. One that is
 * heard at the same time is noted once, whoever comes first. Of orders that were cancelled, those count that are known here
 * as confirmed; nothing ever followed from the others.
 */
import { type Backfill, defineBackfill } from '@shop/backfill';
import { TENANT } from '@shop/http';
import type { Tx } from '@shop/postgres';
import type { Neighbour } from '@shop/service';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsOptional, Matches, ValidateNested } from 'class-validator';
import { isBefore, readBirth } from '../orders/birth';
import type { FollowUp } from '../orders/follow-up';
import { hear } from '../orders/hear';
import { lockOrders, orderKey, saveEarlier, saveHeard } from '../orders/heard-orders.repository';
import { contentOf, type ReadOrder, ReadOrders } from '../orders/read-orders';

const lists = ['confirmed', 'cancelled'] as const;
type List = (typeof lists)[number];

/** Where the reading is: in this list of this tenant, behind this order. A type, because a checkpoint is plain JSON. */
type Place = { tenant: string; list: List; before: string | null };

interface ListedOrder {
  tenant: string;
  order: ReadOrder;
}

/** Orders of many lines have to fit into the answer that a neighbour may give. */
const BATCH = 50;
/** The order service has customers to serve, and each order makes rows here. */
const RATE_PER_SECOND = 200;
/** The list of tenants is that of no tenant, but a service key has to name one. */
const NO_TENANT = 'platform';

class ReadTenant {
  @Matches(TENANT) tenant: string;
}

class ReadTenants {
  @IsArray() @ArrayMaxSize(1) @ValidateNested({ each: true }) @Type(() => ReadTenant) items: ReadTenant[];
}

/** A page of orders, which may be of any length up to what was asked for. */
class ReadPage extends ReadOrders {
  @IsOptional() @Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) declare next?: string | null;
}

/** @param followUp told after the commit that there is something to see to */
export function earlierOrders(order: Pick<Neighbour, 'read'>, followUp: Pick<FollowUp, 'wake'>): Backfill {
  return defineBackfill<Place, ListedOrder>({
    name: 'orders-before-fulfilment',
    title: 'Points for orders that were confirmed before there was fulfilment, or of which an event was lost',
    batch: BATCH,
    ratePerSecond: RATE_PER_SECOND,
    read: (place, limit) => readBehind(order, place, limit),
    step: async (tx, rows) => {
      await note(tx, rows);
      tx.afterCommit(() => followUp.wake());
    },
  });
}

async function readBehind(order: Pick<Neighbour, 'read'>, place: Place | undefined, limit: number) {
  const here = place ?? (await firstPlaceBehind(order, ''));
  if (!here) return { rows: [], cursor: nowhere, done: true };
  const { tenant, list, before } = here;
  const path = `/orders?status=${list}&limit=${limit}${before === null ? '' : `&cursor=${before}`}`;
  const fits = ({ items }: ReadPage) => items.every(({ status }) => status === list);
  const page = await order.read({ tenant, path, type: ReadPage, fits });
  const rows = page!.items.map((order) => ({ tenant, order }));
  if (page!.next) return { rows, cursor: { tenant, list, before: page!.next }, done: false };
  const next = await placeBehind(order, here);
  return { rows, cursor: next ?? here, done: !next };
}

const nowhere: Place = { tenant: '', list: lists[0], before: null };

async function placeBehind(order: Pick<Neighbour, 'read'>, { tenant, list }: Place): Promise<Place | undefined> {
  const next = lists[lists.indexOf(list) + 1];
  return next ? { tenant, list: next, before: null } : firstPlaceBehind(order, tenant);
}

async function firstPlaceBehind(order: Pick<Neighbour, 'read'>, tenant: string): Promise<Place | undefined> {
  const path = `/tenants?limit=1${tenant && `&cursor=${encodeURIComponent(tenant)}`}`;
  const fits = ({ items }: ReadTenants) => items.every((item) => item.tenant !== tenant);
  const page = await order.read({ tenant: NO_TENANT, path, type: ReadTenants, fits });
  const [next] = page!.items;
  return next && { tenant: next.tenant, list: lists[0], before: null };
}

/** A page is of one list, so either of the two has nothing to do. */
async function note(tx: Tx, rows: readonly ListedOrder[]): Promise<void> {
  const of = (list: List) => rows.filter(({ order }) => order.status === list);
  await noteConfirmed(tx, of('confirmed'));
  await noteCancelled(tx, of('cancelled'));
}

async function noteConfirmed(tx: Tx, rows: readonly ListedOrder[]): Promise<void> {
  if (rows.length === 0) return;
  const birth = await readBirth(tx);
  const orders = rows.map(({ tenant, order }) => {
    const { id: orderId, total, confirmedAt } = order;
    // The time is noted since the release that brought this service, so an order without it is older.
    const earlier = confirmedAt === undefined || isBefore(birth, confirmedAt);
    const heard = { tenant, orderId, status: 'confirmed', wasConfirmed: true, earlier, ...total } as const;
    return { ...heard, content: contentOf(order) };
  });
  saveEarlier(tx, orders);
}

async function noteCancelled(tx: Tx, rows: readonly ListedOrder[]): Promise<void> {
  if (rows.length === 0) return;
  const keys = rows.map(({ tenant, order }) => ({ tenant, orderId: order.id }));
  const known = await lockOrders(tx, keys);
  const open = [...known.values()].filter(({ status }) => status === 'confirmed');
  // It was cancelled since it was heard of, so since the birth of this service.
  const news = open.map(({ tenant, orderId }) => ({ kind: 'cancelled', tenant, orderId, earlier: false }) as const);
  const cancelled = news.map((one) => hear(known.get(orderKey(one)), one));
  saveHeard(tx, cancelled, known);
}

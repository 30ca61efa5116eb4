/** What the databases hold at the end of a run. */
import type { Database, Statement } from '@shop/postgres';
import type { Databases } from './databases';
import { type AfterRecords, readAfterRecords } from './records-after';
import { readShopRecords, type ShopRecords, type StockRecord } from './records-shop';

export interface OrderRecord {
  id: string;
  placed_by: string;
  customer_id: string;
  status: string;
  reason: string | null;
  items: { sku: string; quantity: number }[];
  total_amount: number;
  saga_id: string;
  cancel_saga_id: string | null;
  promotions: { code: string; amount: number }[] | null;
  cart_id: string | null;
  reservation_id: string | null;
  cancellation_refused: string | null;
}

export interface SagaRecord {
  id: string;
  definition: string;
  status: string;
  version: number;
  history: { seq: number; from_position: string; to_position: string }[];
}

export interface PaymentRecord {
  id: string;
  order_id: string;
  status: string;
  amount: number;
  refunded: number;
  provider_reference: string | null;
}

export interface EntryRecord {
  key: string;
  status: string;
  answer_body: string | null;
}

export interface Records {
  orders: OrderRecord[];
  sagas: SagaRecord[];
  stock: StockRecord[];
  payments: PaymentRecord[];
  /** Of the commands of these sagas, in the ledgers. */
  entries: EntryRecord[];
  shop: ShopRecords;
  after: AfterRecords;
}

export async function readRecords(databases: Databases, tenant: string): Promise<Records> {
  const [orders, sagas] = (await one(databases.order, ordersAndSagas, [tenant])) as [OrderRecord[], SagaRecord[]];
  const prefixes = sagas.flatMap(({ id }) =>
    ['reserve', 'charge', 'confirm', 'stop-delivery', 'refund', 'restock'].map((step) => `${id}/${step}`),
  );
  const keys = prefixes.flatMap((prefix) => [`${prefix}/do`, `${prefix}/undo`]);
  const taken = await databases.inventory.query<EntryRecord>(selectEntries, ['inventory', keys]);
  const stopped = await databases.fulfilment.query<EntryRecord>(selectEntries, ['fulfilment', keys]);
  const shop = await readShopRecords(databases, tenant);
  const [payments, paid] = (await one(databases.payment, paymentsAndEntries, [tenant, keys])) as [
    PaymentRecord[],
    EntryRecord[],
  ];
  return {
    orders,
    sagas,
    stock: shop.stock,
    payments,
    entries: [...taken, ...stopped, ...paid],
    shop,
    after: await readAfterRecords(databases, tenant),
  };
}

async function one(database: Database, statement: Statement, values: unknown[]): Promise<unknown[][]> {
  const [row] = await database.query<{ first: unknown[] | null; second: unknown[] | null }>(statement, values);
  return [row?.first ?? [], row?.second ?? []];
}

const ordersAndSagas: Statement = {
  name: 'simulation.orders-and-sagas',
  text: `
    select
      (select jsonb_agg(o order by saga_id) from (
         select id, placed_by, customer_id, status, reason, items, total_amount, saga_id, cancel_saga_id, promotions,
                cart_id, reservation_id, cancellation_refused
         from orders where tenant = $1
       ) o) as first,
      (select jsonb_agg(s order by id) from (
         select id, definition, status, version, (
           select jsonb_agg(h order by seq, to_position) from (
             select seq, from_position, to_position from saga_history where saga_id = saga.id
           ) h) as history
         from saga where data ->> 'tenant' = $1
       ) s) as second`,
};

const selectEntries: Statement = {
  name: 'simulation.entries',
  text: `select key, status, answer_body from ledger where scope = $1 and key = any($2) order by key`,
};

const paymentsAndEntries: Statement = {
  name: 'simulation.payments-and-entries',
  text: `
    select
      (select jsonb_agg(p order by order_id) from (
         select id, order_id, status, amount, refunded, provider_reference from payment where tenant = $1
       ) p) as first,
      (select jsonb_agg(l order by key) from (
         select key, status, answer_body from ledger where scope = 'payment' and key = any($2)
       ) l) as second`,
};

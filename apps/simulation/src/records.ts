/** What the three databases hold at the end of a run. */
import type { Database, Statement } from '@shop/postgres';
import type { Databases } from './databases';

export interface OrderRecord {
  id: string;
  customer_id: string;
  status: string;
  reason: string | null;
  items: { sku: string; quantity: number }[];
  total_amount: number;
  saga_id: string;
  cancel_saga_id: string | null;
}

export interface SagaRecord {
  id: string;
  definition: string;
  status: string;
  version: number;
  history: { seq: number; from_position: string; to_position: string }[];
}

export interface StockRecord {
  sku: string;
  on_hand: number;
  reserved: number;
  moved: number;
  held: number;
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
  /** Of the commands of these sagas, in both ledgers. */
  entries: EntryRecord[];
}

export async function readRecords(databases: Databases, tenant: string): Promise<Records> {
  const [orders, sagas] = (await one(databases.order, ordersAndSagas, [tenant])) as [OrderRecord[], SagaRecord[]];
  const prefixes = sagas.flatMap(({ id }) =>
    ['reserve', 'charge', 'confirm', 'refund', 'restock'].map((step) => `${id}/${step}`),
  );
  const keys = prefixes.flatMap((prefix) => [`${prefix}/do`, `${prefix}/undo`]);
  const [stock, taken] = (await one(databases.inventory, stockAndEntries, [tenant, keys])) as [
    StockRecord[],
    EntryRecord[],
  ];
  const [payments, paid] = (await one(databases.payment, paymentsAndEntries, [tenant, keys])) as [
    PaymentRecord[],
    EntryRecord[],
  ];
  return { orders, sagas, stock, payments, entries: [...taken, ...paid] };
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
         select id, customer_id, status, reason, items, total_amount, saga_id, cancel_saga_id from orders where tenant = $1
       ) o) as first,
      (select jsonb_agg(s order by id) from (
         select id, definition, status, version, (
           select jsonb_agg(h order by seq, to_position) from (
             select seq, from_position, to_position from saga_history where saga_id = saga.id
           ) h) as history
         from saga where data ->> 'tenant' = $1
       ) s) as second`,
};

const stockAndEntries: Statement = {
  name: 'simulation.stock-and-entries',
  text: `
    select
      (select jsonb_agg(s order by sku) from (
         select sku, on_hand, reserved,
           (select coalesce(sum(delta), 0) from stock_movement m where m.tenant = stock.tenant and m.sku = stock.sku) as moved,
           (select coalesce(sum((line ->> 'quantity')::int), 0) from reservation r cross join jsonb_array_elements(r.lines) line
            where r.tenant = stock.tenant and r.status = 'open' and line ->> 'sku' = stock.sku) as held
         from stock where tenant = $1
       ) s) as first,
      (select jsonb_agg(l order by key) from (
         select key, status, answer_body from ledger where scope = 'inventory' and key = any($2)
       ) l) as second`,
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

/**
 * Erases who ordered. The order itself stays: its amounts, goods and times belong to the books, and to nobody any more.
 *
 * The orders of a tenant are walked in the order of their creation, which has an index; one by customers would cost
 * every order. An order that has not ended is left alone.
 */
import { type DataSubject, ERASED } from '@shop/messaging';
import type { Database, Statement, Tx } from '@shop/postgres';
import { eraseSagas } from '@shop/saga';
import type { ErasedRows, OwnData } from '@shop/service';
import { orderSagas } from './sagas/place-order.saga';

const ORDERS_PER_STEP = 1_000;

interface Row {
  id: string;
  at: string;
  customer_id: string;
  saga_id: string;
  cancel_saga_id: string | null;
}

/** The text of the time keeps its microseconds, which a Date would not. */
type Place = Pick<Row, 'at' | 'id'>;

const START: Place = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

export const orderData: OwnData = {
  countOpen: async (database, { tenant, customerId }) => {
    const [row] = await database.query<{ count: number }>(countOpen, [tenant, customerId ?? null]);
    return row!.count;
  },
  erase: async (database: Database, subject: DataSubject): Promise<ErasedRows[]> => {
    let [orders, notes] = [0, 0];
    for (let place: Place | undefined = START; place;) {
      const from: Place = place;
      const step = await database.transaction((tx) => eraseStep(tx, subject, from));
      orders += step.orders;
      notes += step.notes;
      place = step.last;
    }
    return [
      { table: 'orders', what: 'who ordered, and the hash of the request', rows: orders },
      { table: 'saga_history', what: 'what operators wrote', rows: notes },
    ];
  },
};

/** Both in one transaction: once the order does not name its customer, nobody finds the notes. */
async function eraseStep(
  tx: Tx,
  { tenant, customerId }: DataSubject,
  from: Place,
): Promise<{ orders: number; notes: number; last?: Place }> {
  const rows = await tx.query<Row>(selectStep, [tenant, from.at, from.id, ORDERS_PER_STEP]);
  const meant = rows.filter((row) => customerId === undefined || row.customer_id === customerId);
  if (meant.length === 0) return { orders: 0, notes: 0, last: rows.at(-1) };
  const ids = meant.map(({ id }) => id);
  const sagas = meant.flatMap(({ saga_id, cancel_saga_id }) =>
    cancel_saga_id ? [saga_id, cancel_saga_id] : [saga_id],
  );
  const [changed, notes] = await Promise.all([
    tx.query(eraseCustomers, [tenant, ids, ERASED]),
    eraseSagas(tx, sagas, { definitions: orderSagas, names: customerId === undefined }),
  ]);
  return { orders: changed.length, notes, last: rows.at(-1) };
}

const countOpen: Statement = {
  name: 'orders.count-open',
  text: `
    select count(*)::int as count from orders
    where tenant = $1 and status in ('pending', 'cancelling') and ($2::text is null or customer_id = $2::text)`,
};

const selectStep: Statement = {
  name: 'orders.select-to-erase',
  text: `
    select id, created_at::text as at, customer_id, saga_id, cancel_saga_id from orders
    where tenant || '' = $1 and (created_at, id) > ($2::timestamptz, $3::uuid) and status in ('confirmed', 'cancelled')
    order by created_at, id limit $4`,
};

// Whoever placed it may be the customer. The hash of the request could tell a customer who can be guessed. No request has the hash that takes its place.
const eraseCustomers: Statement = {
  name: 'orders.erase-customers',
  text: `
    update orders
    set customer_id = $3, placed_by = null, request_hash = decode(repeat('00', 32), 'hex'), next_action = null,
        version = version + 1, updated_at = now()
    where tenant = $1 and id = any($2::uuid[]) and status in ('confirmed', 'cancelled') and customer_id <> $3
    returning id`,
};

/**
 * Erases who ordered, and who used a promotion. The order itself stays: its amounts, goods and times belong to the books,
 * and to nobody any more.
 *
 * The orders of a tenant are walked in the order of their creation, which has an index; one by customers would cost
 * every order. An order that has not ended is left alone.
 */
import { ERASED } from '@shop/messaging';
import type { Database, Statement, Tx } from '@shop/postgres';
import { eraseSagas } from '@shop/saga';
import type { ErasedRows } from '@shop/service';
import { orderSagas } from '../orders/sagas/order-sagas';
import type { Subject } from './subject';

const ORDERS_PER_STEP = 1_000;

interface Row {
  id: string;
  at: string;
  customer_id: string;
  saga_id: string;
  cancel_saga_id: string | null;
  promotions: { code: string }[] | null;
}

/** The text of the time keeps its microseconds, which a Date would not. */
type Place = Pick<Row, 'at' | 'id'>;

const START: Place = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

/** How many of the orders have not ended. They still need their customer. */
export async function countOpenOrders(database: Database, { tenant, customerId, placedBy }: Subject): Promise<number> {
  const [row] = await database.query<{ count: number }>(countOpen, [tenant, customerId ?? null, placedBy ?? null]);
  return row!.count;
}

export async function eraseOrders(database: Database, subject: Subject): Promise<ErasedRows[]> {
  let [orders, notes, uses] = [0, 0, 0];
  for (let place: Place | undefined = START; place;) {
    const from: Place = place;
    const step = await database.transaction((tx) => eraseStep(tx, subject, from));
    orders += step.orders;
    notes += step.notes;
    uses += step.uses;
    place = step.last;
  }
  return [
    { table: 'orders', what: 'who ordered, and the hash of the request', rows: orders },
    { table: 'promotion_use', what: 'hashes of customers', rows: uses },
    { table: 'saga_history', what: 'what operators wrote', rows: notes },
  ];
}

interface Step {
  orders: number;
  notes: number;
  uses: number;
  last?: Place;
}

/** All in one transaction: once the order does not name its customer, nobody finds the notes and the uses. */
async function eraseStep(tx: Tx, { tenant, customerId, placedBy }: Subject, from: Place): Promise<Step> {
  const rows = await (placedBy === undefined
    ? tx.query<Row>(selectStep, [tenant, from.at, from.id, ORDERS_PER_STEP])
    : tx.query<Row>(selectOwnStep, [tenant, from.at, from.id, ORDERS_PER_STEP, placedBy]));
  const meant = rows.filter((row) => customerId === undefined || row.customer_id === customerId);
  if (meant.length === 0) return { orders: 0, notes: 0, uses: 0, last: rows.at(-1) };
  const ids = meant.map(({ id }) => id);
  const sagas = meant.flatMap(({ saga_id, cancel_saga_id }) =>
    cancel_saga_id ? [saga_id, cancel_saga_id] : [saga_id],
  );
  const uses = meant.flatMap(({ id, promotions }) => (promotions ?? []).map(({ code }) => ({ id, code })));
  // Uses before orders, as whoever cancels an order locks them.
  const [usesChanged, changed, notes] = await Promise.all([
    uses.length === 0
      ? []
      : tx.query(eraseUses, [tenant, uses.map(({ code }) => code), uses.map(({ id }) => id), ERASED]),
    tx.query(eraseCustomers, [tenant, ids, ERASED]),
    eraseSagas(tx, sagas, { definitions: orderSagas, names: customerId === undefined }),
  ]);
  return { orders: changed.length, notes, uses: usesChanged.length, last: rows.at(-1) };
}

const countOpen: Statement = {
  name: 'orders.count-open',
  text: `
    select count(*)::int as count from orders
    where tenant = $1 and status in ('pending', 'cancelling') and ($2::text is null or customer_id = $2::text)
      and ($3::text is null or placed_by = $3::text)`,
};

const columns = 'id, created_at::text as at, customer_id, saga_id, cancel_saga_id, promotions';

const selectStep: Statement = {
  name: 'orders.select-to-erase',
  text: `
    select ${columns} from orders
    where tenant || '' = $1 and (created_at, id) > ($2::timestamptz, $3::uuid) and status in ('confirmed', 'cancelled')
    order by created_at, id limit $4`,
};

const selectOwnStep: Statement = {
  name: 'orders.select-own-to-erase',
  text: `
    select ${columns} from orders
    where tenant || '' = $1 and placed_by || '' = $5 and (created_at, id) > ($2::timestamptz, $3::uuid)
      and placed_by is not null and status in ('confirmed', 'cancelled')
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

// The use still counts for the promotion, and for no customer any more.
const eraseUses: Statement = {
  name: 'promotion-use.erase-customers',
  text: `
    update promotion_use u set customer = $4, updated_at = now()
    from unnest($2::text[], $3::uuid[]) as w (code, order_id)
    where u.tenant = $1 and u.code = w.code and u.order_id = w.order_id and u.customer <> $4
    returning 1`,
};

/** Checks the books by sums in SQL, for too many orders to read page by page; each check returns sentences. */
import type { Stack } from '@shop/stack';
import { Client } from 'pg';
import type { Service } from './past-orders';

export async function auditSums(stack: Stack): Promise<string[]> {
  const [left, sold, moved, stock, paid, kept] = await Promise.all([
    rowsOf<Left>(stack, 'order', stillOpen),
    rowsOf<Sum>(stack, 'order', soldBySku),
    rowsOf<Sum>(stack, 'inventory', movedBySku),
    rowsOf<{ sku: string; on_hand: string; reserved: string; movements: string }>(
      stack,
      'inventory',
      stockAndMovements,
    ),
    rowsOf<Digest>(stack, 'order', confirmedOrders),
    rowsOf<Digest & { pending: string }>(stack, 'payment', keptPayments),
  ]);
  return [
    ...left.filter(({ count }) => Number(count) > 0).map(({ what, count }) => `${count} ${what} are still open`),
    ...faultsOfMovements(sold, moved),
    ...stock.flatMap(({ sku, on_hand, reserved, movements }) => [
      ...(on_hand === movements ? [] : [`${sku}: ${on_hand} on hand, its movements add up to ${movements}`]),
      ...(reserved === '0' ? [] : [`${sku}: ${reserved} still reserved`]),
    ]),
    ...faultsOfPayments(paid[0]!, kept[0]!),
  ];
}

interface Left {
  what: string;
  count: string;
}

interface Sum {
  sku: string;
  pieces: string;
}

/** `digest` depends on every order's id and amount, so that it also shows two errors that cancel each other out. */
interface Digest {
  count: string;
  amount: string;
  digest: string;
}

function faultsOfMovements(sold: readonly Sum[], moved: readonly Sum[]): string[] {
  const expected = new Map(sold.map(({ sku, pieces }) => [sku, pieces]));
  const wrong = moved.flatMap(({ sku, pieces }) => {
    const wanted = expected.get(sku) ?? '0';
    expected.delete(sku);
    return pieces === wanted ? [] : [`${sku}: ${pieces} pieces have left the stock, ${wanted} were ordered`];
  });
  return [...wrong, ...[...expected].map(([sku, pieces]) => `${sku}: ${pieces} pieces were ordered, none has left`)];
}

function faultsOfPayments(paid: Digest, kept: Digest & { pending: string }): string[] {
  return [
    ...(kept.pending === '0' ? [] : [`${kept.pending} payments are still pending`]),
    ...(paid.digest === kept.digest && paid.count === kept.count
      ? []
      : [
          `${paid.count} confirmed orders cost ${paid.amount}, and ${kept.count} payments keep ${kept.amount}; ` +
            'the payments are not those of the orders',
        ]),
  ];
}

async function rowsOf<Row extends object>(stack: Stack, service: Service, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: stack.databaseUrl(service) });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

const stillOpen = `
  select 'orders' as what, count(*) from orders where status not in ('confirmed', 'cancelled')
  union all
  select 'sagas', count(*) from saga where status not in ('completed', 'compensated')`;

const soldBySku = `
  select item ->> 'sku' as sku, sum((item ->> 'quantity')::bigint) as pieces
  from orders cross join jsonb_array_elements(items) as item where status = 'confirmed' group by 1`;

const movedBySku = `
  select sku, -sum(delta) as pieces from stock_movement where reason <> 'counted' group by sku having sum(delta) <> 0`;

const stockAndMovements = `
  select sku, on_hand, reserved, coalesce(sum(delta), 0) as movements
  from stock left join stock_movement using (tenant, sku) group by tenant, sku`;

const digest = (order: string, amount: string): string => `
  count(*), coalesce(sum(${amount}), 0) as amount,
  coalesce(sum(hashtextextended(${order} || ' ' || ${amount}, 0)::numeric), 0) as digest`;

const confirmedOrders = `
  select ${digest('id', 'total_amount')} from orders where status = 'confirmed' and total_amount > 0`;

const keptPayments = `
  select ${digest('order_id', 'amount')}, (select count(*) from payment where status = 'pending') as pending
  from payment where status = 'succeeded' and refunded < amount`;

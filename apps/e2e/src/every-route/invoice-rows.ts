/** The mutating routes of invoices, and of what the tax service is told of them. */
import { randomUUID } from 'node:crypto';
import type { Row } from './row';
import type { World } from './world';

const confirmed = async (world: World): Promise<string> => {
  const body = { customerId: world.name(), items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_ok' } };
  const { id } = (await world.prepare('order', 'POST', '/orders', body)).body;
  await world.shop.settled(id as string);
  return id as string;
};

/** Of a year in which nobody here has issued any. */
const oldNumber = (world: World): string => `INV-2019-${world.amount()}`;

const AMOUNTS = { rate: 1_900, gross: 1_190, net: 1_000, tax: 190 };

const broughtBody = (sku: string) => ({
  issuedAt: '2019-03-01T12:00:00.000Z',
  currency: 'EUR',
  lines: [{ sku, quantity: 1, ...AMOUNTS }],
  totals: { gross: 1_190, net: 1_000, tax: 190, rates: [AMOUNTS] },
});

export const invoiceRows: Row[] = [
  {
    service: 'payment',
    route: 'POST /invoices',
    attempt: async (world) => {
      const orderId = await confirmed(world);
      const made = () => world.number('payment', 'select count(*) from invoice where order_id = $1', orderId);
      return { path: '/invoices', body: { orderId }, done: made };
    },
  },
  {
    service: 'payment',
    route: 'PUT /invoices/{number}',
    when: 'which brings it',
    attempt: async (world) => {
      const number = oldNumber(world);
      const made = () =>
        world.number('payment', 'select coalesce(sum(version), 0) from invoice where number = $1', number);
      return { path: `/invoices/${number}`, body: broughtBody('cup'), done: made };
    },
  },
  {
    service: 'payment',
    route: 'PUT /invoices/{number}',
    when: 'which replaces it',
    repeated: 412,
    attempt: async (world) => {
      const number = oldNumber(world);
      const path = `/invoices/${number}`;
      const { etag } = await world.prepare('payment', 'PUT', path, broughtBody('cup'));
      const changed = () => world.number('payment', 'select version - 1 from invoice where number = $1', number);
      return { path, body: broughtBody('beans'), headers: { 'if-match': etag! }, done: changed };
    },
  },
  {
    service: 'payment',
    route: 'POST /tax-tasks/{number}/retry',
    attempt: async (world) => {
      const number = `INV-2018-${world.amount()}`;
      const text = `insert into tax_task (tenant, number, kind, invoice, currency, rates, status, ended_at, last_error)
                    values ('demo', $1, 'commit', $1, 'EUR', '[]', 'parked', now(), $2) returning 1`;
      await world.number('payment', text, number, randomUUID());
      const again = () =>
        world.number('payment', `select count(*) from tax_task where number = $1 and status <> 'parked'`, number);
      return { path: `/tax-tasks/${number}/retry`, done: again };
    },
  },
];

/** Writes finished orders of the past straight into the three databases, as rows like those that the services write. */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Stack, StackError } from '@shop/stack';
import { Client } from 'pg';
import { past, type Service, services, statementsOf } from './past-orders';

export interface FillOptions {
  stack: Stack;
  orders: number;
  products: readonly { sku: string; price: number; onHand: number }[];
  say: (sentence: string) => void;
}

/** Large enough that round trips do not matter, small enough to show progress. */
const CHUNK = 50_000;
/** An order's rows and indexes in all three databases, and the WAL that PostgreSQL keeps of them. */
const BYTES_PER_ORDER = 7_000;
/** The past ends before the orders that the measurement itself has placed. */
const END_BEFORE_MS = 3_600_000;
const SPARE_BYTES = 2 ** 31;

export async function fillHistory({ stack, orders, products, say }: FillOptions): Promise<void> {
  assertRoomFor(orders);
  const inStock = products.filter(({ onHand }) => onHand > 0);
  const end = new Date(Date.now() - END_BEFORE_MS).toISOString();
  const fillers = await Promise.all(services.map((service) => openFiller(stack, service, inStock)));
  try {
    for (let first = 1; first <= orders; first += CHUNK) {
      const last = Math.min(first + CHUNK - 1, orders);
      await Promise.all(fillers.map((filler) => fillChunk(filler, [first, last, orders, inStock.length, end])));
      say(`  ${last} of ${orders} finished orders filled in`);
    }
    say('  vacuum analyze, checkpoint');
    await Promise.all(fillers.map(({ client }) => client.query('vacuum analyze')));
    await fillers[0]!.client.query('checkpoint');
  } finally {
    await Promise.all(fillers.map(({ client }) => client.end()));
  }
}

/** @throws StackError when the disk of the data has no room for so many */
function assertRoomFor(orders: number): void {
  // On another machine we cannot look.
  if (process.env['DATABASE_URL']) return;
  const { bavail, bsize } = statfsSync(tmpdir());
  const needed = orders * BYTES_PER_ORDER + SPARE_BYTES;
  if (bavail * bsize >= needed) return;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new StackError(
    `A history of ${orders} orders needs about ${gib(needed)} GiB and ${tmpdir()} has ${gib(bavail * bsize)} GiB left; ` +
      'give a smaller --history.',
  );
}

interface Filler {
  service: Service;
  client: Client;
}

async function openFiller(
  stack: Stack,
  service: Service,
  products: readonly { sku: string; price: number }[],
): Promise<Filler> {
  const client = new Client({ connectionString: stack.databaseUrl(service) });
  await client.connect();
  // For this session only: the services' sessions still wait for the disk.
  await client.query('set synchronous_commit = off');
  for (const statement of past.prepare) await client.query(statement);
  await client.query(past.insertProducts, [
    JSON.stringify(products.map(({ sku, price }, position) => ({ position, sku, price }))),
  ]);
  return { service, client };
}

async function fillChunk({ service, client }: Filler, range: unknown[]): Promise<void> {
  await client.query('begin');
  await client.query('truncate past_order');
  await client.query(past.insertOrders, range);
  for (const statement of statementsOf[service]) await client.query(statement);
  await client.query('commit');
}

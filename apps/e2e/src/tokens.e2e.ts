/** The token of a card is in no table once nobody needs it any more. */
import { randomUUID } from 'node:crypto';
import { catalogue, ownServices } from '@shop/system';
import { eventually } from '@shop/testing';
import { Client } from 'pg';
import { Shop } from './shop';

const TIMEOUT_MS = 120_000;
const TOKENS = ['tok_ok', 'tok_declined', 'tok_timeout_once'];

describe('R26 the token of a card', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open(catalogue);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  /** The tables that have a token somewhere in a row, as `payment.ledger`. */
  async function tablesWithTokens(): Promise<string[]> {
    const found: string[] = [];
    for (const name of ownServices) {
      const client = new Client({ connectionString: shop.system.stack.databaseUrl(name) });
      await client.connect();
      try {
        const { rows } = await client.query<{ table: string }>(
          `select quote_ident(tablename) as table from pg_tables where schemaname = 'public'`,
        );
        for (const { table } of rows) {
          const { rowCount } = await client.query(`select from ${table} t where t::text ~ 'tok_' limit 1`);
          if (rowCount) found.push(`${name}.${table}`);
        }
      } finally {
        await client.end();
      }
    }
    return found;
  }

  it(
    'R26 is kept while its order needs it, and nowhere when all orders and payments have ended',
    async () => {
      const ids: string[] = [];
      for (const source of TOKENS) {
        ids.push((await shop.place([{ sku: 'cup', quantity: 1 }], source)).body.id);
        await shop.payment.post('/payments', { amount: 4_200, currency: 'EUR', source }, randomUUID());
      }
      ids.push((await shop.place([{ sku: 'unicorn', quantity: 1 }], 'tok_ok')).body.id);
      expect(await tablesWithTokens()).toContain('order.saga');
      const settled = await Promise.all(ids.map((id) => shop.settled(id)));
      expect(settled.map(({ body }) => body.reason ?? body.status)).toEqual([
        'confirmed',
        'payment_declined',
        'confirmed',
        'out_of_stock',
      ]);
      await eventually(async () => expect(await tablesWithTokens()).toEqual([]), { timeoutMs: 30_000 });
      // A confirmed order that is given back later needs no token either.
      await shop.order.send('DELETE', `/orders/${ids[0]}`);
      await eventually(async () => expect((await shop.settled(ids[0]!)).body.status).toBe('cancelled'));
      expect(await tablesWithTokens()).toEqual([]);
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

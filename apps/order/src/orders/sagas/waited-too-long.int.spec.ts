/** A request waits too long for its key, which another replica holds. What the request had begun is rolled back. */
import { type Claim, fingerprintOf, type Outcome, PostgresLedger } from '@shop/idempotency';
import type { Message, Publisher } from '@shop/messaging';
import { createLogger, newTraceparent } from '@shop/observability';
import { createDatabase, Database, type Tx } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { Client } from 'pg';
import { insertProduct } from '../../../testing/catalogue';
import { createOrderTables } from '../../../testing/order-schema';
import { openOrderReplica, type OrderReplica } from '../../../testing/replica';

const stack = useStack({ migrate: createOrderTables });

class ImpatientDatabase extends Database {
  override transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    return super.transaction((tx) => {
      tx.send({ name: 'test.impatient', text: `set local lock_timeout = '20ms'` });
      return work(tx);
    }, retryOn);
  }
}

let database: ImpatientDatabase;
let replica: OrderReplica;
const sent: Message[] = [];

beforeAll(async () => {
  const real = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  database = new ImpatientDatabase(real.dataSource);
  await database.connect();
  const publisher = { send: (_: string, message: Message) => sent.push(message) } as unknown as Publisher;
  const logger = createLogger({ service: 'order', level: 'silent', format: 'json' });
  replica = openOrderReplica({ database, ledger: new PostgresLedger(), publisher, logger });
  await insertProduct(database, 'acme', 'cup', { name: 'Cup', unitPrice: { amount: 100, currency: 'EUR' } });
});
afterAll(() => database.close());

const body = { customerId: 'alice', items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_ok' } };
const claim: Claim = { scope: 'acme|alice|POST /orders', key: 'a key', fingerprint: fingerprintOf(body) };
const caller = { tenant: 'acme', principal: 'alice', roles: [] };
const place = (): Promise<Outcome> => replica.orders.place({ claim, caller, body, traceparent: newTraceparent() });

it('R16 R1 a request that waited too long for its key is in use, and nothing of it is announced', async () => {
  const elsewhere = new Client({ connectionString: stack.databaseUrl });
  await elsewhere.connect();
  await elsewhere.query('begin');
  await elsewhere.query(
    `insert into ledger (scope, key, status, answer_status, answer_body, expires_at) values ($1, $2, 'completed', 201, '{}', now())`,
    [claim.scope, claim.key],
  );
  expect([await place(), sent]).toEqual([{ kind: 'in-use' }, []]);
  await elsewhere.query('rollback');
  await elsewhere.end();
  expect(await place()).toMatchObject({ kind: 'fresh' });
  expect(sent).toHaveLength(1);
});

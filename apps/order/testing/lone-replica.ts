/** A replica on its own connections, for tests that run code before and after each commit. */
import { randomUUID } from 'node:crypto';
import { type Claim, fingerprintOf, type Outcome, PostgresLedger } from '@shop/idempotency';
import { type Broker, type Message, type Publisher, type Reply, replyTo } from '@shop/messaging';
import { createLogger, newTraceparent } from '@shop/observability';
import { createDatabase, Database, type Statement, type Tx } from '@shop/postgres';
import { claimOfPut } from '../src/orders/placing/place-request';
import { openOrderReplica, type OrderReplica } from './replica';
import type { OrderJson } from './order-app';
import { participantAskedFor } from './participants';

type Step = () => unknown;
const nothing: Step = () => undefined;

class SteppedDatabase extends Database {
  /** The number of answered reads outside of transactions. */
  reads = 0;
  /** Runs when all statements were sent, before the commit. */
  beforeCommit = nothing;
  /** Runs when the commit is known, before anybody is told of it. */
  afterCommit = nothing;

  override async query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
    const rows = await super.query<Row>(statement, values);
    this.reads++;
    return rows;
  }

  override async transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    let acts: (() => void)[] = [];
    const result = await super.transaction(async (tx) => {
      acts = [];
      const worked = await work({ ...tx, afterCommit: (act) => acts.push(act) });
      await this.beforeCommit();
      return worked;
    }, retryOn);
    await this.afterCommit();
    for (const act of acts) act();
    return result;
  }

  /** Removes both hooks. */
  undisturbed(): void {
    this.beforeCommit = this.afterCommit = nothing;
  }
}

export interface LoneReplica extends OrderReplica {
  database: SteppedDatabase;
  close: () => Promise<void>;
}

export async function openLoneReplica(
  databaseUrl: string,
  broker?: Pick<Broker, 'nats' | 'subscribe'>,
): Promise<LoneReplica> {
  const database = new SteppedDatabase(createDatabase({ url: databaseUrl, applicationName: 'test' }).dataSource);
  await database.connect();
  const publisher = { send: () => undefined } as unknown as Publisher;
  const logger = createLogger({ service: 'order', level: 'silent', format: 'json' });
  const replica = openOrderReplica({ database, ledger: new PostgresLedger(), publisher, logger, broker });
  return { ...replica, database, close: () => database.close() };
}

export interface Wish {
  key?: string;
  tenant?: string;
  /** The id of a PUT. */
  id?: string;
  /** A cart instead of the products. */
  cartId?: string;
}

/** Alice orders one piece of each product. */
export function placeWith(
  replica: OrderReplica,
  skus: readonly string[],
  { key = randomUUID(), tenant = 'acme', id, cartId }: Wish = {},
): Promise<Outcome> {
  const items = skus.map((sku) => ({ sku, quantity: 1 }));
  const payment = { source: 'tok_ok' };
  const body = cartId ? { cartId, payment } : { customerId: 'alice', items, payment };
  const ofPost: Claim = { scope: `${tenant}|alice|POST /orders`, key, fingerprint: fingerprintOf(body) };
  const caller = { tenant, principal: 'alice', roles: [] };
  const claim = id ? claimOfPut(tenant, id, body) : ofPost;
  return replica.orders.place({ claim, caller, body, id, traceparent: newTraceparent() });
}

export function bodyOf(outcome: Outcome): Record<string, unknown> & OrderJson {
  if (!('answer' in outcome)) throw new Error(`no answer but ${outcome.kind}`);
  return JSON.parse(outcome.answer.body) as Record<string, unknown> & OrderJson;
}

/** Gives the replica the reply to `<step>/<action>` of a saga. Resolves when the results are committed. */
export async function replyWith(replica: OrderReplica, sagaId: string, action: string, reply: Reply): Promise<void> {
  const command = { id: `${sagaId}/${action}`, type: 'any', subject: sagaId } as Message;
  const message = replyTo(command, participantAskedFor(action), reply);
  await Promise.all(replica.replies.take([{ message, suspect: false }]).promises);
}

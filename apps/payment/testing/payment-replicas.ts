/** Two instances of the payment commands on one database, as two replicas, with one scripted provider. */
import { randomUUID } from 'node:crypto';
import { ChargePayment, RefundPayment } from '@shop/contracts';
import { PostgresLedger, LeaseLostError } from '@shop/idempotency';
import { type Message, newMessage, type Reply } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { RetryableError } from '@shop/resilience';
import { eventually } from '@shop/testing';
import { paymentMigrations } from '../src/migrations';
import { paymentIdOf } from '../src/payments/payment';
import { loadPayments, paymentKey } from '../src/payments/payments.repository';
import { openPaymentReplica, type PaymentReplica } from './replica';
import { type ProviderFault, ScriptedProvider } from './scripted-provider';

export const tenant = 'acme';
export const amount = 4_200;

export const declined: Reply = { outcome: 'refused', reason: 'payment_declined' };
export const undone: Reply = { outcome: 'refused', reason: 'undone' };
export const nothingToRefund = (paymentId: string): Reply => ({
  outcome: 'succeeded',
  result: { result: 'nothing_to_refund', paymentId },
});

export const preparePaymentDatabase = (url: string) => applyMigrations(url, paymentMigrations);

/** `poolSize` connections for each replica. `name` is shown in pg_stat_activity. */
export interface ReplicaOptions {
  name?: string;
  poolSize?: number;
}

export class PaymentReplicas {
  readonly one: PaymentReplica;
  readonly other: PaymentReplica;

  private constructor(
    private readonly databases: [Database, Database],
    readonly provider: ScriptedProvider,
  ) {
    const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
    const [one, other] = databases.map((database) =>
      openPaymentReplica({ database, ledger: new PostgresLedger(), provider, logger }),
    );
    this.one = one!;
    this.other = other!;
  }

  static async open(
    url: string,
    provider = new ScriptedProvider(),
    { name = 'replica', poolSize }: ReplicaOptions = {},
  ): Promise<PaymentReplicas> {
    const open = () => createDatabase({ url, applicationName: name, poolSize });
    const databases: [Database, Database] = [open(), open()];
    await Promise.all(databases.map((database) => database.connect()));
    return new PaymentReplicas(databases, provider);
  }

  async close(): Promise<void> {
    await Promise.all(this.databases.map((database) => database.close()));
  }

  get database(): Database {
    return this.databases[0];
  }

  /** A charge and its undo, the expected results, and the provider's behaviour. */
  newCase(source = 'tok_ok', price = amount) {
    const orderId = randomUUID();
    const chargeId = `${orderId}/charge/do`;
    const paymentId = paymentIdOf(chargeId);
    const envelope = { source: 'order', subject: orderId };
    const charge: Message = newMessage({
      ...envelope,
      id: chargeId,
      type: ChargePayment.type,
      data: { tenant, orderId, amount: price, currency: 'EUR', source },
    });
    const refund: Message = newMessage({
      ...envelope,
      id: `${orderId}/charge/undo`,
      type: RefundPayment.type,
      undoes: chargeId,
      data: { tenant, orderId, chargeId },
    });
    return {
      charge,
      refund,
      paymentId,
      /** From the moment on in which the provider is asked for the money. */
      plan: (...faults: ProviderFault[]) => this.provider.plan(paymentId, 'none', ...faults),
      /** From the first call on, which only names the charge. */
      planAll: (...faults: ProviderFault[]) => this.provider.plan(paymentId, ...faults),
      calls: () => this.provider.callsAbout(paymentId),
      taken: () => this.provider.taken(paymentId),
      paid: { outcome: 'succeeded', result: { paymentId } } satisfies Reply,
      givenBack: { outcome: 'succeeded', result: { result: 'refunded', paymentId } } satisfies Reply,
      neverCharged: { outcome: 'succeeded', result: { result: 'never_charged' } } satisfies Reply,
    };
  }

  /** How often the provider was asked to move money for a command. */
  callsFor({ id }: Message): number {
    return this.provider.callsUnder(id);
  }

  /** How often the provider has carried out a command. */
  keptOf({ id }: Message): number {
    const charges = [...this.provider.intents.values()].filter(
      ({ idempotencyKey, source }) => idempotencyKey === id && source !== undefined,
    );
    return charges.length + Number(this.provider.refunds.has(id));
  }

  async paymentOf(charge: Message) {
    const key = { tenant, id: paymentIdOf(charge.id) };
    return (await this.database.transaction((tx) => loadPayments(tx, [key]))).get(paymentKey(key));
  }

  query<Rows extends unknown[]>(text: string, values: unknown[] = []): Promise<Rows> {
    return this.database.dataSource.query<Rows>(text, values);
  }

  /** The row with its xmin, which every write changes, even a write of the same values. */
  async ledgerRow({ id }: Message): Promise<object | undefined> {
    const [row] = await this.query<object[]>('select xmin, * from ledger where key = $1', [id]);
    return row;
  }
}

export const perform = (commands: PaymentReplica, message: Message): Promise<Reply> =>
  commands.perform(message, { alone: false });

/** Delivers a message like the broker: again and again until it is answered. */
export const delivered = (commands: PaymentReplica, message: Message): Promise<Reply> =>
  eventually(() => perform(commands, message), { intervalMs: 5 });

/** Accepts an unanswered delivery. Any other error is a fault. */
export function isPassing(error: unknown): void {
  expect([RetryableError, LeaseLostError]).toContain((error as Error).constructor);
}

/** As many messages at once as fit well in a batch. */
const GROUP = 40;

export async function inGroups<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  for (let start = 0; start < items.length; start += GROUP) {
    done.push(...(await Promise.all(items.slice(start, start + GROUP).map(work))));
  }
  return done;
}

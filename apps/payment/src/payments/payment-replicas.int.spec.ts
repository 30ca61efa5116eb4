/** Two replicas that work on the same payment: the owner of the lease works, and nobody else writes. */
import { PostgresLedger } from '@shop/idempotency';
import type { Message, Reply } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import { InterruptedDatabase } from '@shop/postgres/testing';
import {
  amount,
  delivered,
  inGroups,
  isPassing,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
  tenant,
  undone,
} from '../../testing/payment-replicas';
import { openPaymentReplica, type PaymentReplica } from '../../testing/replica';
import { paymentIdOf } from './payment';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let replicas: PaymentReplicas;
let one: PaymentReplica;
let other: PaymentReplica;

beforeAll(async () => {
  replicas = await PaymentReplicas.open(stack.databaseUrl);
  ({ one, other } = replicas);
});
afterAll(() => replicas.close());

describe('R11 two replicas at once', () => {
  it('never call the provider for one charge at the same time', async () => {
    const { charge, plan, paid, paymentId } = replicas.newCase();
    plan('hangs');
    const first = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    replicas.provider.letGo(paymentId);
    expect([await first, await perform(other, charge)]).toEqual([paid, paid]);
    expect(replicas.callsFor(charge)).toBe(1);
  });

  it('do not undo a charge that the other is making: the undo waits', async () => {
    const { charge, refund, plan, givenBack, taken, paymentId } = replicas.newCase();
    plan('hangs');
    const first = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    replicas.provider.letGo(paymentId);
    await first;
    expect(await perform(other, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
  });

  it('take a charge and its undo that meet: it is refunded or never made', async () => {
    await inGroups(Array.from({ length: 40 }), async () => {
      const { charge, refund, taken, paid, givenBack, neverCharged } = replicas.newCase();
      const replies = await Promise.all([delivered(one, charge), delivered(other, refund)]);
      expect([
        [paid, givenBack],
        [undone, neverCharged],
      ]).toContainEqual(replies);
      expect(taken()).toBe(0);
    });
  });

  it.each<[string, (one: Case) => [Message, Message], (one: Case) => Reply[], money: number]>([
    ['an undo, its charge', ({ charge, refund }) => [refund, charge], ({ givenBack, paid }) => [givenBack, paid], 0],
    ['a charge, its undo', ({ charge, refund }) => [charge, refund], ({ neverCharged }) => [undone, neverCharged], 0],
    ['a charge, itself', ({ charge }) => [charge, charge], ({ paid }) => [paid, paid], amount],
  ])('R3 R4 see what commits while they look: %s', async (_, commands, replies, money) => {
    const subject = replicas.newCase();
    const [early, late] = commands(subject);
    let between: Reply | undefined;
    const interrupted = interruptedReplica(async () => void (between = await perform(other, late)));
    expect([await perform(interrupted, early), between]).toEqual(replies(subject));
    expect(subject.taken()).toBe(money);
  });

  it('R4 never say that there is nothing to give back of a charge that was claimed while they looked', async () => {
    const { charge, refund, plan, givenBack, taken, paymentId } = replicas.newCase();
    plan('hangs');
    let charging: Promise<Reply> | undefined;
    const interrupted = interruptedReplica(async () => {
      charging = perform(other, charge);
      await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    });
    await expect(perform(interrupted, refund)).rejects.toBeInstanceOf(RetryableError);
    replicas.provider.letGo(paymentId);
    await charging;
    expect([await perform(one, refund), taken()]).toEqual([givenBack, 0]);
  });

  it('claim the same payments in opposite orders without a deadlock', async () => {
    // Each has one connection, so that their deadlocks can be counted when they are closed.
    const opposite = await PaymentReplicas.open(stack.databaseUrl, replicas.provider, {
      name: 'opposite',
      poolSize: 1,
    });
    const { one: here, other: there } = opposite;
    const cases = [replicas.newCase(), replicas.newCase(), replicas.newCase()];
    const middle = cases[1]!.charge.id;
    for (const { plan } of cases) plan('fails-before', 'fails-before');
    const performBoth = () =>
      Promise.all([
        ...cases.map(({ charge }) => perform(here, charge).catch(isPassing)),
        ...cases.toReversed().map(({ charge }) => perform(there, charge).catch(isPassing)),
      ]);
    // Another connection holds the middle row, so each replica stops half-way: when it claims new payments …
    await whileHeld(
      `insert into payment (tenant, id, amount, currency, source, status)
       values ('${tenant}', '${paymentIdOf(middle)}', 0, 'EUR', 'x', 'pending')`,
      performBoth,
    );
    // … and when it takes over payments whose leases were given back.
    await whileHeld(`select 1 from ledger where key = '${middle}' for update`, performBoth);
    await Promise.all(cases.map(({ charge }) => delivered(here, charge)));
    expect(cases.map(({ taken }) => taken())).toEqual([amount, amount, amount]);
    await opposite.close();
    // A backend of PostgreSQL reports its counts before it ends.
    await eventually(async () => {
      expect(await replicas.query(`select 1 from pg_stat_activity where application_name = 'opposite'`)).toEqual([]);
    });
    expect(
      await replicas.query(`select deadlocks::int from pg_stat_database where datname = current_database()`),
    ).toEqual([{ deadlocks: 0 }]);
  });
});

describe('R4 an undo that comes while an attempt looks at the intent of a lost charge', () => {
  it('is seen before the charge is made', async () => {
    const { charge, refund, plan, neverCharged, calls, paymentId } = replicas.newCase();
    plan('fails-before', 'hangs');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    const looking = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    replicas.provider.letGo(paymentId);
    expect(await looking).toEqual(undone);
    expect([await perform(other, refund), calls()]).toEqual([
      neverCharged,
      ['create', 'confirm', 'retrieve', 'cancel'],
    ]);
  });
});

describe('R18 an owner whose lease was taken over', () => {
  it('writes nothing, whatever the provider told it', async () => {
    const { charge, plan, paid, taken, paymentId } = replicas.newCase();
    plan('hangs');
    const stale = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await ageLease(charge);
    expect(await perform(other, charge)).toEqual(paid);
    const written = await rowsOf(charge);
    replicas.provider.letGo(paymentId);
    await expect(stale).rejects.toBeInstanceOf(RetryableError);
    expect(await rowsOf(charge)).toEqual(written);
    expect([replicas.callsFor(charge), taken()]).toEqual([1, amount]);
  });

  it('writes nothing although the new owner has not found out yet either', async () => {
    const { charge, plan, paid, paymentId } = replicas.newCase();
    plan('hangs', 'fails-before');
    const stale = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await ageLease(charge);
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    const written = await rowsOf(charge);
    replicas.provider.letGo(paymentId);
    await expect(stale).rejects.toBeInstanceOf(RetryableError);
    expect(await rowsOf(charge)).toEqual(written);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'pending' });
    expect(await perform(one, charge)).toEqual(paid);
  });

  it('does not bring back money that an undo has given back meanwhile', async () => {
    const { charge, refund, plan, paid, givenBack, taken, paymentId } = replicas.newCase();
    plan('hangs');
    const stale = perform(one, charge);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await ageLease(charge);
    expect(await perform(other, refund)).toEqual(givenBack);
    replicas.provider.letGo(paymentId);
    await expect(stale).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(one, charge)).toEqual(paid);
    expect([taken(), await replicas.paymentOf(charge)]).toMatchObject([0, { status: 'succeeded', refunded: amount }]);
  });

  it('does not end the others of its batch, which end as they would have alone', async () => {
    const cases = Array.from({ length: 3 }, () => replicas.newCase());
    for (const { plan } of cases) plan('hangs');
    const performing = cases.map(({ charge }) => perform(one, charge));
    const settled = Promise.allSettled(performing);
    await eventually(() => {
      for (const { paymentId } of cases) expect(replicas.provider.isHanging(paymentId)).toBe(true);
    });
    const [first, lost, last] = cases as [Case, Case, Case];
    await ageLease(lost.charge);
    expect(await perform(other, lost.charge)).toEqual(lost.paid);
    const written = await rowsOf(lost.charge);
    for (const { paymentId } of cases) replicas.provider.letGo(paymentId);
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await rowsOf(lost.charge)).toEqual(written);
    for (const { charge, paid, taken } of [first, last]) {
      expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'succeeded', version: 2 });
      expect([await perform(other, charge), taken(), replicas.callsFor(charge)]).toEqual([paid, amount, 1]);
    }
  });

  it('refunds once when a refund is taken over', async () => {
    const { charge, refund, plan, givenBack, taken, paymentId } = replicas.newCase();
    plan('none', 'hangs');
    await perform(one, charge);
    const stale = perform(one, refund);
    await eventually(() => expect(replicas.provider.isHanging(paymentId)).toBe(true));
    await ageLease(refund);
    expect(await perform(other, refund)).toEqual(givenBack);
    replicas.provider.letGo(paymentId);
    await expect(stale).rejects.toBeInstanceOf(RetryableError);
    expect([taken(), replicas.keptOf(refund)]).toEqual([0, 1]);
    expect(await replicas.paymentOf(charge)).toMatchObject({ refunded: amount });
  });
});

type Case = ReturnType<PaymentReplicas['newCase']>;

/** A third replica. Its next transaction waits for `interrupt` after its first statement. */
function interruptedReplica(interrupt: () => Promise<void>): PaymentReplica {
  const database = new InterruptedDatabase(replicas.database.dataSource);
  database.afterFirstStatement = interrupt;
  const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
  return openPaymentReplica({ database, ledger: new PostgresLedger(), provider: replicas.provider, logger });
}

/** Starts `work`, waits until both replicas wait for what `sql` holds, then releases it and waits for the end. */
async function whileHeld(sql: string, work: () => Promise<unknown>): Promise<void> {
  const holder = replicas.database.dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query(sql);
  const working = work();
  await eventually(async () => {
    const waiting = await replicas.query(
      `select 1 from pg_stat_activity where application_name = 'opposite' and wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(2);
  });
  await holder.rollbackTransaction();
  await holder.release();
  await working;
}

/** The rows of a charge with their xmin, which every write changes. */
async function rowsOf(charge: Message): Promise<unknown> {
  const payments = await replicas.query('select xmin, * from payment where id = $1', [paymentIdOf(charge.id)]);
  return { payments, ledger: await replicas.ledgerRow(charge) };
}

/** Changes the lease as if its owner had been silent for longer than the lease. */
const ageLease = ({ id }: Message) =>
  replicas.query(`update ledger set leased_until = now() - interval '1 second' where key = $1 and status = 'pending'`, [
    id,
  ]);

/** Charges and refunds on real PostgreSQL with a scripted provider, and two instances that stand for two replicas. */
import { randomUUID } from 'node:crypto';
import { ChargePayment, RefundPayment } from '@shop/contracts';
import { Ledger, LeaseLostError, ledgerMigrations } from '@shop/idempotency';
import { type Message, newMessage, type Reply } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { createDatabase, type Database, migrate } from '@shop/postgres';
import { RetryableError, TerminalError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import { type ProviderFault, ScriptedProvider } from '../../testing/scripted-provider';
import { paymentMigrations } from '../migrations';
import { paymentIdOf } from './payment';
import { PaymentCommands } from './payment-commands';
import { findPayment } from './payments.repository';

const tenant = 'acme';
const amount = 4_200;
const stack = useStack({ migrate: prepare, templateKey: 'payment' });
const provider = new ScriptedProvider();
let database: Database;
let otherDatabase: Database;
let one: PaymentCommands;
let other: PaymentCommands;

beforeAll(async () => {
  const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
  [database, otherDatabase] = ['one', 'other'].map((name) =>
    createDatabase({ url: stack.databaseUrl, applicationName: name }),
  ) as [Database, Database];
  await Promise.all([database.connect(), otherDatabase.connect()]);
  one = new PaymentCommands(database, new Ledger(), provider, logger);
  other = new PaymentCommands(otherDatabase, new Ledger(), provider, logger);
});
afterAll(() => Promise.all([database.close(), otherDatabase.close()]));

describe('R38 a charge', () => {
  it('takes the money once, however often it is repeated', async () => {
    const { charge, paid } = newCase();
    const replies = [];
    for (let time = 0; time < 4; time++) replies.push(await perform(time % 2 ? other : one, charge));
    expect(replies).toEqual([paid, paid, paid, paid]);
    expect(callsFor(charge)).toBe(1);
    expect(await paymentOf(charge)).toMatchObject({ status: 'succeeded', refunded: 0, amount, version: 2 });
  });

  it('names the command to the provider, so that the provider knows it again', async () => {
    const { charge } = newCase();
    await perform(one, charge);
    expect(provider.charges.get(charge.id)).toMatchObject({ idempotencyKey: charge.id, amount, currency: 'EUR' });
  });

  it('takes the money once when many copies come at the same time to two replicas', async () => {
    const { charge, paid } = newCase();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => delivered(index % 2 ? other : one, charge)),
    );
    expect(replies).toEqual(Array<Reply>(20).fill(paid));
    expect(callsFor(charge)).toBe(1);
  });

  it('that is declined is refused, and refused again without asking the provider', async () => {
    const { charge } = newCase('tok_declined');
    expect([await perform(one, charge), await perform(other, charge)]).toEqual([declined, declined]);
    expect(callsFor(charge)).toBe(1);
    expect(await paymentOf(charge)).toMatchObject({ status: 'declined', declineReason: 'generic_decline' });
  });

  it('that the provider does not take is refused: it moved no money', async () => {
    const { charge, plan } = newCase();
    plan('refuses');
    expect(await perform(one, charge)).toEqual(declined);
    expect(await paymentOf(charge)).toMatchObject({ status: 'declined', declineReason: 'refused_by_provider' });
  });

  it('of nothing succeeds without the provider, and its undo has nothing to give back', async () => {
    const { charge, refund, paid, paymentId } = newCase('tok_ok', 0);
    expect([await perform(one, charge), await perform(one, refund)]).toEqual([paid, nothingToRefund(paymentId)]);
    expect(callsFor(charge) + callsFor(refund)).toBe(0);
  });

  it('under the id of another one is refused', async () => {
    const { charge, paid } = newCase();
    await perform(one, charge);
    const changed = { ...charge, data: { ...(charge.data as object), amount: 1 } };
    expect(await perform(one, changed)).toEqual({ outcome: 'refused', reason: 'command_id_reused' });
    expect(await perform(one, charge)).toEqual(paid);
  });

  it('waits for the provider outside any transaction, and holds nobody else up', async () => {
    const [slow, quick] = [newCase(), newCase()];
    slow.plan('hangs');
    const hanging = perform(one, slow.charge);
    await eventually(() => expect(provider.isHanging(slow.charge.id)).toBe(true));
    expect(await perform(one, quick.charge)).toEqual(quick.paid);
    const [{ open }] = await query<[{ open: string }]>(
      `select count(*) as open from pg_stat_activity where datname = current_database() and state like 'idle in trans%'`,
    );
    expect(Number(open)).toBe(0);
    expect(await ledgerRow(slow.charge.id)).toMatchObject({ status: 'pending' });
    provider.letGo(slow.charge.id);
    expect(await hanging).toEqual(slow.paid);
  });
});

describe('R4 a charge whose answer is lost', () => {
  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'is unknown, and is asked again under the same key: %s',
    async (fault) => {
      const { charge, plan, paid, taken } = newCase();
      plan(fault, fault);
      await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
      expect(await paymentOf(charge)).toMatchObject({ status: 'pending' });
      await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
      expect(await perform(one, charge)).toEqual(paid);
      expect(callsFor(charge)).toBe(3);
      expect(taken()).toBe(amount);
    },
  );

  it.each<[string, ProviderFault, string, number]>([
    ['was made', 'loses-answer', 'tok_ok', 1],
    ['was not made', 'fails-before', 'tok_ok', 1],
  ])('and that %s is refunded by its undo, and stays refunded', async (_, fault, source, refunds) => {
    const { charge, refund, plan, paid, givenBack, taken } = newCase(source);
    plan(fault);
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
    // The do comes late: it was done, and its answer stays what it was.
    expect(await perform(one, charge)).toEqual(paid);
    expect(await perform(one, refund)).toEqual(givenBack);
    expect([taken(), callsFor(refund)]).toEqual([0, refunds]);
  });

  it('and that turns out to be declined leaves nothing to give back', async () => {
    const { charge, refund, plan, paymentId } = newCase('tok_declined');
    plan('loses-answer');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(nothingToRefund(paymentId));
    expect(await perform(one, charge)).toEqual(declined);
  });

  it('cannot be undone while the provider does not tell, and the undo says so by not answering', async () => {
    const { charge, refund, plan, givenBack, taken } = newCase();
    plan('loses-answer', 'fails-before', 'fails-before');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    expect(await ledgerRow(refund.id)).toBeUndefined();
    expect(await perform(one, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
  });
});

describe('R3 the undo of a charge', () => {
  it('that never came is recorded, and the charge that comes late is refused', async () => {
    const { charge, refund, neverCharged } = newCase();
    expect(await perform(one, refund)).toEqual(neverCharged);
    expect(await perform(other, charge)).toEqual(undone);
    expect([await perform(other, refund), await perform(one, charge)]).toEqual([neverCharged, undone]);
    expect(callsFor(charge) + callsFor(refund)).toBe(0);
    expect(await paymentOf(charge)).toBeUndefined();
  });

  it('that was made gives the money back once, however often it is repeated', async () => {
    const { charge, refund, givenBack, taken } = newCase();
    await perform(one, charge);
    const replies = [];
    for (let time = 0; time < 4; time++) replies.push(await perform(time % 2 ? other : one, refund));
    expect(replies).toEqual([givenBack, givenBack, givenBack, givenBack]);
    expect([taken(), callsFor(refund)]).toEqual([0, 1]);
    expect(await paymentOf(charge)).toMatchObject({ status: 'succeeded', refunded: amount });
  });

  it('whose answer is lost is asked again under the same key and refunds once', async () => {
    const { charge, refund, plan, givenBack, taken } = newCase();
    plan('none', 'loses-answer');
    await perform(one, charge);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(givenBack);
    expect([taken(), callsFor(refund)]).toEqual([0, 2]);
  });

  it('that the provider does not take is not answered, so that somebody looks at it', async () => {
    const { charge, refund, plan, givenBack } = newCase();
    plan('none', 'refuses');
    await perform(one, charge);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(TerminalError);
    expect(await perform(one, refund)).toEqual(givenBack);
  });

  it('R20 is done once even after the ledger has forgotten both', async () => {
    const { charge, refund, paid, paymentId, taken } = newCase();
    await perform(one, charge);
    await forget(charge);
    expect(await perform(one, charge)).toEqual(paid);
    await perform(one, refund);
    await forget(charge);
    expect([await perform(one, refund), await perform(one, charge)]).toEqual([nothingToRefund(paymentId), paid]);
    expect([taken(), callsFor(charge), callsFor(refund)]).toEqual([0, 1, 1]);
  });
});

/** Every order and repetition of a charge and its refund, up to this length. */
const LONGEST_SEQUENCE = 4;
/** Faults of the first calls to the provider. */
const FAULTY_CALLS = 3;

describe('R3 R4 every order and repetition of {charge, refund}', () => {
  const sequences = sequencesOf(['do', 'undo'] as const, LONGEST_SEQUENCE);
  const scripts = sequencesOf<ProviderFault>(['none', 'fails-before', 'loses-answer'], FAULTY_CALLS).filter(
    ({ length }) => length === FAULTY_CALLS,
  );

  it.each(['tok_ok', 'tok_declined'])(
    'with every fault of the provider ends with the right money: %s',
    async (source) => {
      const trials = sequences.flatMap((sequence) => scripts.map((script) => ({ sequence, script })));
      const outcomes = await inGroups(trials, async ({ sequence, script }) => {
        const { charge, refund, plan, paymentId, taken, paid, givenBack, neverCharged } = newCase(source);
        plan(...script);
        const commands = sequence.map((action) => (action === 'do' ? charge : refund));
        // First each comes once, answered or not; then each comes again until it is answered.
        for (const [index, command] of commands.entries())
          await perform(index % 2 ? other : one, command).catch(isPassing);
        const replies = [];
        for (const command of commands) replies.push(await delivered(one, command));

        const begun = sequence[0] === 'do';
        const paying = source === 'tok_ok';
        const expected = {
          do: begun ? (paying ? paid : declined) : undone,
          undo: begun ? (paying ? givenBack : nothingToRefund(paymentId)) : neverCharged,
        };
        return {
          seen: { sequence, script, replies, money: taken(), charges: keptOf(charge), refunds: keptOf(refund) },
          expected: {
            sequence,
            script,
            replies: sequence.map((action) => expected[action]),
            money: begun && paying && !sequence.includes('undo') ? amount : 0,
            charges: begun ? 1 : 0,
            refunds: begun && paying && sequence.includes('undo') ? 1 : 0,
          },
        };
      });
      expect(outcomes.map(({ seen }) => seen)).toEqual(outcomes.map(({ expected }) => expected));
    },
  );
});

describe('R11 two replicas at once', () => {
  it('never call the provider for one charge at the same time', async () => {
    const { charge, plan, paid } = newCase();
    plan('hangs');
    const first = perform(one, charge);
    await eventually(() => expect(provider.isHanging(charge.id)).toBe(true));
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    provider.letGo(charge.id);
    expect([await first, await perform(other, charge)]).toEqual([paid, paid]);
    expect(callsFor(charge)).toBe(1);
  });

  it('do not undo a charge that the other is making: the undo waits', async () => {
    const { charge, refund, plan, givenBack, taken } = newCase();
    plan('hangs');
    const first = perform(one, charge);
    await eventually(() => expect(provider.isHanging(charge.id)).toBe(true));
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    provider.letGo(charge.id);
    await first;
    expect(await perform(other, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
  });

  it('take a charge and its undo that meet: it is refunded or never made', async () => {
    await inGroups(Array.from({ length: 40 }), async () => {
      const { charge, refund, taken, paid, givenBack, neverCharged } = newCase();
      const replies = await Promise.all([delivered(one, charge), delivered(other, refund)]);
      expect([
        [paid, givenBack],
        [undone, neverCharged],
      ]).toContainEqual(replies);
      expect(taken()).toBe(0);
    });
  });

  it('claim the same payments in opposite orders without a deadlock', async () => {
    const pools = ['opposite-one', 'opposite-other'].map((name) =>
      createDatabase({ url: stack.databaseUrl, applicationName: name, poolSize: 1 }),
    );
    await Promise.all(pools.map((pool) => pool.connect()));
    const logger = createLogger({ service: 'payment', level: 'silent', format: 'json' });
    const [here, there] = pools.map((pool) => new PaymentCommands(pool, new Ledger(), provider, logger)) as [
      PaymentCommands,
      PaymentCommands,
    ];
    for (let round = 0; round < 12; round++) {
      const cases = Array.from({ length: 30 }, () => newCase());
      for (const { plan } of cases) plan('fails-before');
      // First they are claimed; then, with their leases given back, taken over.
      for (let time = 0; time < 2; time++) {
        await Promise.all([
          ...cases.map(({ charge }) => perform(here, charge).catch(isPassing)),
          ...cases.toReversed().map(({ charge }) => perform(there, charge).catch(isPassing)),
        ]);
      }
      expect(cases.map(({ taken }) => taken())).toEqual(Array<number>(30).fill(amount));
    }
    await Promise.all(pools.map((pool) => pool.close()));
    // A backend reports what it counted before it is gone.
    await eventually(async () => {
      expect(await query(`select 1 from pg_stat_activity where application_name like 'opposite-%'`)).toEqual([]);
    });
    expect(await query(`select deadlocks::int from pg_stat_database where datname = current_database()`)).toEqual([
      { deadlocks: 0 },
    ]);
  });
});

describe('R18 an owner whose lease was taken over', () => {
  it('writes nothing, whatever the provider told it', async () => {
    const { charge, plan, paid, taken } = newCase();
    plan('hangs');
    const stale = perform(one, charge);
    await eventually(() => expect(provider.isHanging(charge.id)).toBe(true));
    await ageLease(charge);
    expect(await perform(other, charge)).toEqual(paid);
    const written = await rowsOf(charge);
    provider.letGo(charge.id);
    await expect(stale).rejects.toBeInstanceOf(LeaseLostError);
    expect(await rowsOf(charge)).toEqual(written);
    expect([callsFor(charge), taken()]).toEqual([2, amount]);
  });

  it('writes nothing although the new owner has not found out yet either', async () => {
    const { charge, plan, paid } = newCase();
    plan('hangs', 'fails-before');
    const stale = perform(one, charge);
    await eventually(() => expect(provider.isHanging(charge.id)).toBe(true));
    await ageLease(charge);
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    const written = await rowsOf(charge);
    provider.letGo(charge.id);
    await expect(stale).rejects.toBeInstanceOf(LeaseLostError);
    expect(await rowsOf(charge)).toEqual(written);
    expect(await paymentOf(charge)).toMatchObject({ status: 'pending' });
    expect(await perform(one, charge)).toEqual(paid);
  });

  it('does not bring back money that an undo has given back meanwhile', async () => {
    const { charge, refund, plan, paid, givenBack, taken } = newCase();
    plan('hangs');
    const stale = perform(one, charge);
    await eventually(() => expect(provider.isHanging(charge.id)).toBe(true));
    await ageLease(charge);
    expect(await perform(other, refund)).toEqual(givenBack);
    provider.letGo(charge.id);
    await expect(stale).rejects.toBeInstanceOf(LeaseLostError);
    expect(await perform(one, charge)).toEqual(paid);
    expect([taken(), await paymentOf(charge)]).toMatchObject([0, { status: 'succeeded', refunded: amount }]);
  });

  it('refunds once when a refund is taken over', async () => {
    const { charge, refund, plan, givenBack, taken } = newCase();
    plan('none', 'hangs');
    await perform(one, charge);
    const stale = perform(one, refund);
    await eventually(() => expect(provider.isHanging(refund.id)).toBe(true));
    await ageLease(refund);
    expect(await perform(other, refund)).toEqual(givenBack);
    provider.letGo(refund.id);
    await expect(stale).rejects.toBeInstanceOf(LeaseLostError);
    expect([taken(), keptOf(refund)]).toEqual([0, 1]);
  });
});

describe('a command that cannot be read', () => {
  it.each<[string, (charge: Message) => Message, string]>([
    ['an unknown type', (charge) => ({ ...charge, type: 'payment.print-money.v1' }), 'unknown_command'],
    ['a negative amount', (charge) => withData(charge, { amount: -1 }), 'malformed_command'],
    ['half a cent', (charge) => withData(charge, { amount: 0.5 }), 'malformed_command'],
    ['no currency', (charge) => withData(charge, { currency: undefined }), 'malformed_command'],
    ['an order id that is no UUID', (charge) => withData(charge, { orderId: 'order-7' }), 'malformed_command'],
    ['an empty source', (charge) => withData(charge, { source: '' }), 'malformed_command'],
  ])('is refused: %s', async (_, spoil, reason) => {
    const { charge } = newCase();
    expect(await perform(one, spoil(charge))).toEqual({ outcome: 'refused', reason });
    expect(callsFor(charge)).toBe(0);
  });

  it('is refused when it does not say which charge it undoes', async () => {
    const { refund } = newCase();
    const spoilt = withData(refund, { chargeId: '' });
    expect(await perform(one, spoilt)).toEqual({ outcome: 'refused', reason: 'malformed_command' });
  });
});

const declined: Reply = { outcome: 'refused', reason: 'payment_declined' };
const undone: Reply = { outcome: 'refused', reason: 'undone' };
const nothingToRefund = (paymentId: string): Reply => ({
  outcome: 'succeeded',
  result: { result: 'nothing_to_refund', paymentId },
});

/** A charge and its undo, what to expect of them, and what the provider shall do. */
function newCase(source = 'tok_ok', price = amount) {
  const orderId = randomUUID();
  const chargeId = `${orderId}/charge/do`;
  const paymentId = paymentIdOf(chargeId);
  const envelope = { source: 'order', subject: orderId };
  const charge = newMessage({
    ...envelope,
    id: chargeId,
    type: ChargePayment.type,
    data: { tenant, orderId, amount: price, currency: 'EUR', source },
  });
  const refund = newMessage({
    ...envelope,
    id: `${orderId}/charge/undo`,
    type: RefundPayment.type,
    undoes: chargeId,
    data: { tenant, orderId, chargeId },
  });
  return {
    charge: charge as Message,
    refund: refund as Message,
    paymentId,
    plan: (...faults: ProviderFault[]) => provider.plan(paymentId, ...faults),
    taken: () => provider.taken(paymentId),
    paid: { outcome: 'succeeded', result: { paymentId } } satisfies Reply,
    givenBack: { outcome: 'succeeded', result: { result: 'refunded', paymentId } } satisfies Reply,
    neverCharged: { outcome: 'succeeded', result: { result: 'never_charged' } } satisfies Reply,
  };
}

const perform = (commands: PaymentCommands, message: Message) => commands.perform(message, { alone: false });

/** As the broker does it: delivered again until it is answered. */
const delivered = (commands: PaymentCommands, message: Message) =>
  eventually(() => perform(commands, message), { intervalMs: 5 });

/** An unanswered delivery; anything else is a fault of the test's subject. */
function isPassing(error: unknown): void {
  expect([RetryableError, LeaseLostError]).toContain((error as Error).constructor);
}

const withData = (message: Message, changed: object): Message => ({
  ...message,
  data: { ...(message.data as object), ...changed },
});

const callsFor = ({ id }: Message) => provider.calls.filter(({ idempotencyKey }) => idempotencyKey === id).length;
const keptOf = ({ id }: Message) => Number(provider.charges.has(id)) + Number(provider.refunds.has(id));
const paymentOf = (charge: Message) => findPayment(database, { tenant, id: paymentIdOf(charge.id) });

const query = <Rows extends unknown[]>(text: string, values: unknown[] = []): Promise<Rows> =>
  database.dataSource.query<Rows>(text, values);

async function ledgerRow(key: string): Promise<object | undefined> {
  const [row] = await query<object[]>('select xmin, * from ledger where key = $1', [key]);
  return row;
}

/** The rows as they are written: any write, even of the same values, changes xmin. */
async function rowsOf(charge: Message): Promise<unknown> {
  const payments = await query('select xmin, * from payment where id = $1', [paymentIdOf(charge.id)]);
  return { payments, ledger: await ledgerRow(charge.id) };
}

/** As if its owner had been silent for longer than its lease. */
const ageLease = ({ id }: Message) =>
  query(`update ledger set leased_until = now() - interval '1 second' where key = $1 and status = 'pending'`, [id]);

const forget = ({ subject }: Message) => query('delete from ledger where key like $1', [`${subject}/%`]);

async function prepare(url: string): Promise<void> {
  const migrations = [...ledgerMigrations, ...paymentMigrations];
  const fresh = createDatabase({ url, applicationName: 'migrate', migrations });
  await migrate(fresh);
  await fresh.close();
}

function sequencesOf<T>(items: readonly T[], longest: number): T[][] {
  if (longest === 0) return [];
  const tails = [[], ...sequencesOf(items, longest - 1)];
  return items.flatMap((item) => tails.map((tail) => [item, ...tail]));
}

/** As many at once as share a batch well. */
const GROUP = 40;

async function inGroups<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  for (let start = 0; start < items.length; start += GROUP) {
    done.push(...(await Promise.all(items.slice(start, start + GROUP).map(work))));
  }
  return done;
}

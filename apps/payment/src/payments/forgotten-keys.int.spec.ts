/** Commands that come again when the provider has forgotten their keys: no money moves twice. */
import type { Message, Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { useStack } from '@shop/testing';
import {
  amount,
  declined,
  isPassing,
  nothingToRefund,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
} from '../../testing/payment-replicas';
import type { PaymentReplica } from '../../testing/replica';
import type { ProviderFault } from '../../testing/scripted-provider';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let replicas: PaymentReplicas;
let one: PaymentReplica;
let other: PaymentReplica;

beforeAll(async () => {
  replicas = await PaymentReplicas.open(stack.databaseUrl);
  ({ one, other } = replicas);
});
afterAll(() => replicas.close());

/** Long enough that the provider has forgotten the key, and shows everything. */
const DAY_LATER = 25;

const ages: [string, number][] = [
  // It has forgotten sooner than it promises.
  ['at once', 0],
  ['when it may have forgotten', 23],
  ['a day later', DAY_LATER],
  ['a weekend later', 72],
];

describe('R4 a charge whose answer was lost, and whose key the provider has forgotten', () => {
  it.each(ages)('is found and given back by its undo, and no second charge is made: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours);
    expect(await perform(other, lost.refund)).toEqual(lost.givenBack);
    expect(await perform(one, lost.charge)).toEqual(lost.paid);
    expect(moneyOf(lost)).toEqual({ charges: 1, taken: 0 });
  });

  it.each(ages)('is found when it comes again, and no second charge is made: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours);
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([lost.paid, lost.paid]);
    expect(moneyOf(lost)).toEqual({ charges: 1, taken: amount });
  });

  it('is found as declined', async () => {
    const lost = await lostCharge('loses-answer', DAY_LATER, 'tok_declined');
    expect(await perform(other, lost.refund)).toEqual(nothingToRefund(lost.paymentId));
    expect(await perform(one, lost.charge)).toEqual(declined);
  });

  it('is found when only the payment still tells of it', async () => {
    const lost = await lostCharge('loses-answer', 0);
    await replicas.query('delete from ledger where key = $1', [lost.charge.id]);
    await replicas.query(`update payment set created_at = now() - interval '2 days' where id = $1`, [lost.paymentId]);
    expect(await perform(other, lost.charge)).toEqual(lost.paid);
    expect(moneyOf(lost)).toEqual({ charges: 1, taken: amount });
  });
});

describe('R4 a charge that was never made, and is too old to be asked for', () => {
  it('was never charged, says its undo, and none is made', async () => {
    const lost = await lostCharge('fails-before', DAY_LATER);
    expect(await perform(other, lost.refund)).toEqual(lost.neverCharged);
    expect(await perform(one, lost.charge)).toEqual(declined);
    expect(await perform(one, lost.refund)).toEqual(lost.neverCharged);
    expect(moneyOf(lost)).toEqual({ charges: 0, taken: 0 });
    expect(await replicas.paymentOf(lost.charge)).toMatchObject({ status: 'declined', declineReason: 'never_charged' });
  });

  it('is refused when it comes again, and is not made a day late', async () => {
    const lost = await lostCharge('fails-before', DAY_LATER);
    expect([await perform(other, lost.charge), await perform(one, lost.refund)]).toEqual([declined, lost.neverCharged]);
    expect(moneyOf(lost)).toEqual({ charges: 0, taken: 0 });
  });
});

describe('R4 what the provider does not tell', () => {
  it.each<[string, number, 'work' | 'fail']>([
    ['it may have forgotten the key and shows the charge later', 23, 'work'],
    ['it may have forgotten the key and the look-up fails', 23, 'fail'],
    ['it has forgotten the key and the look-up fails', 72, 'fail'],
  ])('stays unknown, and nothing is asked under the key: %s', async (_, hours, lookUps) => {
    const lost = await lostCharge('fails-before', hours);
    replicas.provider.setLookUps(lost.paymentId, lookUps);
    for (const command of [lost.charge, lost.refund, lost.charge]) {
      await expect(perform(other, command)).rejects.toBeInstanceOf(RetryableError);
    }
    expect(replicas.callsFor(lost.charge)).toBe(1);
    expect(await replicas.paymentOf(lost.charge)).toMatchObject({ status: 'pending' });
  });

  it('is asked under the key while the provider remembers it, also when the look-up fails', async () => {
    const { charge, paid, paymentId, plan, taken } = replicas.newCase();
    plan('loses-answer');
    await perform(one, charge).catch(isPassing);
    replicas.provider.setLookUps(paymentId, 'fail');
    expect([await perform(other, charge), taken(), replicas.callsFor(charge)]).toEqual([paid, amount, 2]);
  });
});

describe('R4 a refund whose key the provider has forgotten', () => {
  it.each(ages)('is found, and is given once: %s', async (_, hours) => {
    const lost = await lostRefund('loses-answer', hours);
    expect(await perform(other, lost.refund)).toEqual(lost.givenBack);
    expect([lost.taken(), replicas.callsFor(lost.refund)]).toEqual([0, 1]);
  });

  it.each(ages)('and that was never made is made: %s', async (_, hours) => {
    const lost = await lostRefund('fails-before', hours);
    expect(await perform(other, lost.refund)).toEqual(lost.givenBack);
    expect([lost.taken(), replicas.callsFor(lost.refund)]).toEqual([0, 2]);
  });

  it('stays unknown while the provider does not show its refunds', async () => {
    const lost = await lostRefund('loses-answer', DAY_LATER);
    replicas.provider.setLookUps(lost.paymentId, 'fail');
    await expect(perform(other, lost.refund)).rejects.toBeInstanceOf(RetryableError);
    expect(replicas.callsFor(lost.refund)).toBe(1);
  });
});

describe('R4 ages, when statements see a clock that is two days ahead of the defaults of columns', () => {
  it('are measured by one clock: what is new is asked for, and asked again under its key', async () => {
    await replicas.query('create schema ahead');
    await replicas.query(`
      create function ahead.now() returns timestamptz stable language sql
        return pg_catalog.now() + interval '2 days'`);
    await replicas.query(`
      do $$ begin
        execute format('alter database %I set search_path = ahead, pg_catalog, public', current_database());
      end $$`);
    const ahead = await PaymentReplicas.open(stack.databaseUrl, replicas.provider);
    const { charge, paid, plan, taken } = ahead.newCase();
    plan('loses-answer');
    await expect(perform(ahead.one, charge)).rejects.toBeInstanceOf(RetryableError);
    // Only the payment still tells when it was begun.
    await ahead.query('delete from ledger where key = $1', [charge.id]);
    expect([await perform(ahead.other, charge), taken(), ahead.callsFor(charge)]).toEqual([paid, amount, 2]);
    await ahead.close();
  });
});

type Case = ReturnType<PaymentReplicas['newCase']>;

/** A charge that was begun so many hours ago and has no answer. The provider has forgotten its key. */
async function lostCharge(fault: ProviderFault, hours: number, source?: string): Promise<Case> {
  const lost = replicas.newCase(source);
  lost.plan(fault);
  await expect(perform(one, lost.charge)).rejects.toBeInstanceOf(RetryableError);
  await age(lost.charge, hours);
  replicas.provider.forgetKeys(lost.paymentId);
  return lost;
}

async function lostRefund(fault: ProviderFault, hours: number): Promise<Case> {
  const lost = replicas.newCase();
  lost.plan('none', fault);
  const paid: Reply = await perform(one, lost.charge);
  expect(paid).toEqual(lost.paid);
  await expect(perform(one, lost.refund)).rejects.toBeInstanceOf(RetryableError);
  await age(lost.refund, hours);
  replicas.provider.forgetKeys(lost.paymentId);
  return lost;
}

const moneyOf = ({ paymentId, taken }: Case) => ({
  charges: replicas.provider.timesCharged(paymentId),
  taken: taken(),
});

const age = ({ id }: Message, hours: number) =>
  replicas.query(`update ledger set created_at = created_at - $2 * interval '1 hour' where key = $1`, [id, hours]);

/** Commands that come again when the provider has forgotten their keys: no money moves twice. */
import type { Message, Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { useStack } from '@shop/testing';
import {
  amount,
  declined,
  nothingToRefund,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
  tenant,
  undone,
} from '../../testing/payment-replicas';
import type { PaymentReplica } from '../../testing/replica';
import type { ProviderFault } from '../../testing/scripted-provider';
import { paymentIdOf } from './payment';
import type { IntentRequest } from './provider';

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

/** How often and how much, whatever was asked. */
interface Money {
  charges: number;
  taken: number;
}
const kept: Money = { charges: 1, taken: amount };
const givenBack: Money = { charges: 1, taken: 0 };
const none: Money = { charges: 0, taken: 0 };

describe('R4 a charge that was named, and whose keys the provider has forgotten', () => {
  it.each(ages)('and that was made is found by its name when it comes again: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours);
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([lost.paid, lost.paid]);
    expect([moneyOf(lost), lost.calls()]).toEqual([kept, ['create', 'confirm', 'retrieve']]);
  });

  it.each(ages)('and that was made is found and given back by its undo: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours);
    expect([await perform(other, lost.refund), await perform(one, lost.charge)]).toEqual([lost.givenBack, lost.paid]);
    expect([moneyOf(lost), lost.calls()]).toEqual([givenBack, ['create', 'confirm', 'cancel', 'refund']]);
  });

  it.each(ages)('and that was not made is made in its time only: %s', async (_, hours) => {
    const lost = await lostCharge('fails-before', hours);
    const [reply, money] = hours < 23 ? [lost.paid, kept] : [declined, none];
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([reply, reply]);
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([money, hours < 23 ? 2 : 1]);
    const status = hours < 23 ? { status: 'succeeded' } : { status: 'declined', declineReason: 'never_charged' };
    expect(await replicas.paymentOf(lost.charge)).toMatchObject(status);
    // The one that is not made is dead at the provider, too.
    if (hours >= 23) expect(lost.calls().at(-1)).toBe('cancel');
    expect(await perform(one, lost.refund)).toEqual(hours < 23 ? lost.givenBack : lost.neverCharged);
  });

  it.each(ages)('and that was not made is never made behind its undo: %s', async (_, hours) => {
    const lost = await lostCharge('fails-before', hours);
    expect([await perform(other, lost.refund), await perform(one, lost.charge)]).toEqual([lost.neverCharged, undone]);
    expect(await perform(one, lost.refund)).toEqual(lost.neverCharged);
    expect([moneyOf(lost), lost.calls()]).toEqual([none, ['create', 'confirm', 'cancel']]);
  });

  it.each(ages)('and that was declined is found as declined: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours, 'tok_declined');
    expect([await perform(other, lost.charge), await perform(one, lost.refund)]).toEqual([
      declined,
      nothingToRefund(lost.paymentId),
    ]);
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([none, 1]);
  });

  it.each(ages)('needs no look-up: %s', async (_, hours) => {
    const lost = await lostCharge('loses-answer', hours);
    replicas.provider.setLookUps(lost.paymentId, 'fail');
    expect([await perform(other, lost.charge), moneyOf(lost)]).toEqual([lost.paid, kept]);
  });

  it.each<[string, ProviderFault, Money]>([
    ['made', 'loses-answer', kept],
    ['not made', 'fails-before', none],
  ])('is found when only the payment still tells of it: %s', async (_, fault, money) => {
    const lost = await lostCharge(fault, 0);
    await replicas.query('delete from ledger where key = $1', [lost.charge.id]);
    await replicas.query(`update payment set created_at = now() - interval '2 days' where id = $1`, [lost.paymentId]);
    expect(await perform(other, lost.charge)).toEqual(money === kept ? lost.paid : declined);
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([money, 1]);
  });
});

describe('R4 a charge that has no name yet, and whose key the provider has forgotten', () => {
  const cases = ages.flatMap(([age, hours]) =>
    (['loses-answer', 'fails-before'] as const).map((fault) => ({ age, hours, fault })),
  );
  const unnamed = async (fault: ProviderFault, hours: number) => {
    const lost = replicas.newCase();
    lost.planAll(fault);
    await expect(perform(one, lost.charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await replicas.paymentOf(lost.charge)).toMatchObject({ status: 'pending', providerReference: null });
    await age(lost.charge, hours);
    replicas.provider.forgetKeys(lost.paymentId);
    return lost;
  };

  it.each(cases)('has moved no money, and is made in its time only: $fault, $age', async ({ hours, fault }) => {
    const lost = await unnamed(fault, hours);
    const [reply, money] = hours < 23 ? [lost.paid, kept] : [declined, none];
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([reply, reply]);
    expect([moneyOf(lost), lost.calls()]).toEqual([money, hours < 23 ? ['create', 'create', 'confirm'] : ['create']]);
  });

  it.each(cases)('is undone without a call: $fault, $age', async ({ hours, fault }) => {
    const lost = await unnamed(fault, hours);
    replicas.provider.setLookUps(lost.paymentId, 'fail');
    expect([await perform(other, lost.refund), await perform(one, lost.charge)]).toEqual([lost.neverCharged, undone]);
    expect([moneyOf(lost), lost.calls()]).toEqual([none, ['create']]);
  });
});

describe('R4 a charge that an earlier release has begun, and has asked for at once', () => {
  /** Whether the key still protects, and whether the provider shows what was made. */
  const whens: [when: string, hours: number, key: 'known' | 'forgotten', shown: 'shown' | 'hidden'][] = [
    ['at once, and is shown late', 0, 'known', 'hidden'],
    ['at once, and is shown', 0, 'known', 'shown'],
    ['and was forgotten sooner than promised', 0, 'forgotten', 'shown'],
    ['when the key may be forgotten, and is shown late', 23, 'known', 'hidden'],
    ['when the key may be forgotten, and is shown', 23, 'forgotten', 'shown'],
    ['a day later', DAY_LATER, 'forgotten', 'shown'],
    ['a weekend later', 72, 'forgotten', 'shown'],
  ];
  type When = (typeof whens)[number];

  const begun = async (made: 'made' | 'declined' | 'not made', [, hours, key, shown]: When) => {
    const lost = replicas.newCase();
    lost.planAll('fails-before');
    await expect(perform(one, lost.charge)).rejects.toBeInstanceOf(RetryableError);
    await asEarlierRelease(lost.charge);
    const { charge, paymentId } = lost;
    const request = { idempotencyKey: charge.id, tenant, paymentId, amount, currency: 'EUR', capture: 'automatic' };
    const source = made === 'declined' ? 'tok_declined' : 'tok_ok';
    if (made !== 'not made') replicas.provider.chargeAtOnce(request as IntentRequest, source);
    await age(charge, hours);
    if (key === 'forgotten') replicas.provider.forgetKeys(paymentId);
    else if (shown === 'shown') replicas.provider.setLookUps(paymentId, 'work');
    return lost;
  };
  const isUnknown = (message: Message) => expect(perform(other, message)).rejects.toBeInstanceOf(RetryableError);

  it.each(whens)('and that was made is never made again when it comes again: %s', async (...when) => {
    const lost = await begun('made', when);
    if (when[3] === 'hidden') {
      await isUnknown(lost.charge);
      replicas.provider.setLookUps(lost.paymentId, 'work');
    }
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([lost.paid, lost.paid]);
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([kept, 0]);
    expect([await perform(one, lost.refund), moneyOf(lost)]).toEqual([lost.givenBack, givenBack]);
  });

  it.each(whens)('and that was made is given back by its undo, once it is shown: %s', async (...when) => {
    const lost = await begun('made', when);
    if (when[3] === 'hidden') {
      await isUnknown(lost.refund);
      replicas.provider.setLookUps(lost.paymentId, 'work');
    }
    expect([await perform(other, lost.refund), await perform(one, lost.charge)]).toEqual([lost.givenBack, lost.paid]);
    expect(await perform(other, lost.refund)).toEqual(lost.givenBack);
    expect([moneyOf(lost), replicas.callsFor(lost.charge), replicas.callsFor(lost.refund)]).toEqual([givenBack, 0, 1]);
  });

  it.each(whens.filter(([, , , shown]) => shown === 'shown'))(
    'and that was declined is found as declined: %s',
    async (...when) => {
      const lost = await begun('declined', when);
      expect([await perform(other, lost.charge), await perform(one, lost.refund)]).toEqual([
        declined,
        nothingToRefund(lost.paymentId),
      ]);
      expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([none, 0]);
    },
  );

  it.each(whens)('and that was not made is made in its time only: %s', async (...when) => {
    const lost = await begun('not made', when);
    const [, hours] = when;
    if (hours === 23) {
      await isUnknown(lost.charge);
      expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([none, 0]);
      return;
    }
    const [reply, money] = hours < 23 ? [lost.paid, kept] : [declined, none];
    expect([await perform(other, lost.charge), await perform(one, lost.charge)]).toEqual([reply, reply]);
    expect(moneyOf(lost)).toEqual(money);
    expect(await perform(one, lost.refund)).toEqual(hours < 23 ? lost.givenBack : lost.neverCharged);
  });

  it.each(whens)('and that was not made is never made behind its undo: %s', async (...when) => {
    const lost = await begun('not made', when);
    const [, hours] = when;
    if (hours === 23) {
      await isUnknown(lost.refund);
      await isUnknown(lost.charge);
    } else {
      expect(await perform(other, lost.refund)).toEqual(lost.neverCharged);
      // A day later the charge was refused as too old, before anybody asked whether it was undone.
      expect(await perform(one, lost.charge)).toEqual(hours < 23 ? undone : declined);
    }
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([none, 0]);
  });

  it.each(whens.filter(([, hours]) => hours >= 23))(
    'stays unknown while the look-up fails, and nothing is asked under the key: %s',
    async (...when) => {
      const lost = await begun('made', when);
      replicas.provider.setLookUps(lost.paymentId, 'fail');
      for (const command of [lost.charge, lost.refund, lost.charge]) await isUnknown(command);
      expect([moneyOf(lost), lost.calls()]).toEqual([kept, ['create']]);
      expect(await replicas.paymentOf(lost.charge)).toMatchObject({ status: 'pending' });
    },
  );

  it.each<[string, number, 'made' | 'not made', Money | 'unknown']>([
    ['made, in its time', 0, 'made', kept],
    ['made, when it may be forgotten', 23, 'made', kept],
    ['made, a day later', DAY_LATER, 'made', kept],
    ['not made, in its time', 0, 'not made', kept],
    ['not made, when it may be forgotten', 23, 'not made', 'unknown'],
    ['not made, a day later', DAY_LATER, 'not made', none],
  ])('is found when only the payment still tells of it: %s', async (_, hours, made, money) => {
    const lost = await begun(made, ['', 0, 'forgotten', 'shown']);
    await replicas.query('delete from ledger where key = $1', [lost.charge.id]);
    await replicas.query(`update payment set created_at = created_at - $2 * interval '1 hour' where id = $1`, [
      lost.paymentId,
      hours,
    ]);
    if (money === 'unknown') return isUnknown(lost.charge);
    expect(await perform(other, lost.charge)).toEqual(money === kept ? lost.paid : declined);
    expect([moneyOf(lost), replicas.callsFor(lost.charge)]).toEqual([
      money,
      Number(made === 'not made' && hours === 0),
    ]);
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
    plan('fails-before');
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

/** What such a release has left: no word on the capture in its work, and a payment that is not known to be named. */
async function asEarlierRelease({ id }: Message): Promise<void> {
  await replicas.query(`update ledger set input = input #- '{input,capture}' where key = $1`, [id]);
  const rows = await replicas.query<{ kept: boolean }[]>(
    `select input #> '{input}' ? 'source' and not input #> '{input}' ? 'capture' as kept from ledger where key = $1`,
    [id],
  );
  expect(rows).toEqual([{ kept: true }]);
  await replicas.query(`update payment set charge_id = null where id = $1`, [paymentIdOf(id)]);
}

const moneyOf = ({ paymentId, taken }: Case): Money => ({
  charges: replicas.provider.timesCharged(paymentId),
  taken: taken(),
});

const age = ({ id }: Message, hours: number) =>
  replicas.query(`update ledger set created_at = created_at - $2 * interval '1 hour' where key = $1`, [id, hours]);

/** Charges and undos on a real PostgreSQL, with a provider that fails, hangs and loses answers. */
import { isDeepStrictEqual } from 'node:util';
import type { Message, Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import {
  amount,
  declined,
  delivered,
  inGroups,
  isPassing,
  nothingToRefund,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
  tenant,
  undone,
} from '../../testing/payment-replicas';
import type { ProviderCall, ProviderFault } from '../../testing/scripted-provider';
import type { PaymentReplica } from '../../testing/replica';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let replicas: PaymentReplicas;
let one: PaymentReplica;
let other: PaymentReplica;

beforeAll(async () => {
  replicas = await PaymentReplicas.open(stack.databaseUrl);
  ({ one, other } = replicas);
});
afterAll(() => replicas.close());

describe('R38 a charge', () => {
  it('takes the money once, however often it is repeated', async () => {
    const { charge, paid } = replicas.newCase();
    const replies = [];
    for (let time = 0; time < 4; time++) replies.push(await perform(time % 2 ? other : one, charge));
    expect(replies).toEqual([paid, paid, paid, paid]);
    expect(replicas.callsFor(charge)).toBe(1);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'succeeded', refunded: 0, amount, version: 2 });
  });

  it('names the command to the provider, so that the provider knows it again', async () => {
    const { charge, paymentId } = replicas.newCase();
    await perform(one, charge);
    expect(replicas.provider.intentsOf(paymentId)).toMatchObject([
      { idempotencyKey: charge.id, tenant, paymentId, amount, currency: 'EUR', capture: 'automatic' },
    ]);
  });

  it('takes the money once when many copies come at the same time to two replicas', async () => {
    const { charge, paid } = replicas.newCase();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => delivered(index % 2 ? other : one, charge)),
    );
    expect(replies).toEqual(Array<Reply>(20).fill(paid));
    expect(replicas.callsFor(charge)).toBe(1);
  });

  it('that is declined is refused, and refused again without asking the provider', async () => {
    const { charge } = replicas.newCase('tok_declined');
    expect([await perform(one, charge), await perform(other, charge)]).toEqual([declined, declined]);
    expect(replicas.callsFor(charge)).toBe(1);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'declined', declineReason: 'generic_decline' });
  });

  it('that the provider does not take is refused: it moved no money', async () => {
    const { charge, plan } = replicas.newCase();
    plan('refuses');
    expect(await perform(one, charge)).toEqual(declined);
    expect(await replicas.paymentOf(charge)).toMatchObject({
      status: 'declined',
      declineReason: 'refused_by_provider',
    });
  });

  it('of more than can be paid is refused without the provider, and its undo has nothing to give back', async () => {
    const { charge, refund, neverCharged } = replicas.newCase('tok_ok', 100_000_000);
    expect([await perform(one, charge), await perform(other, charge)]).toEqual([declined, declined]);
    expect(await perform(one, refund)).toEqual(neverCharged);
    expect(replicas.callsFor(charge)).toBe(0);
  });

  it('of nothing succeeds without the provider, and its undo has nothing to give back', async () => {
    const { charge, refund, paid, paymentId } = replicas.newCase('tok_ok', 0);
    expect([await perform(one, charge), await perform(one, refund)]).toEqual([paid, nothingToRefund(paymentId)]);
    expect(replicas.callsFor(charge) + replicas.callsFor(refund)).toBe(0);
  });

  it('under the id of another one is refused', async () => {
    const { charge, paid } = replicas.newCase();
    await perform(one, charge);
    const changed = { ...charge, data: { ...(charge.data as object), amount: 1 } };
    expect(await perform(one, changed)).toMatchObject({ outcome: 'refused', reason: 'command_id_reused' });
    expect(await perform(one, charge)).toEqual(paid);
  });

  it('waits for the provider outside any transaction, and holds nobody else up', async () => {
    const [slow, quick] = [replicas.newCase(), replicas.newCase()];
    slow.plan('hangs');
    const hanging = perform(one, slow.charge);
    await eventually(() => expect(replicas.provider.isHanging(slow.paymentId)).toBe(true));
    expect(await perform(one, quick.charge)).toEqual(quick.paid);
    const [{ open }] = await replicas.query<[{ open: string }]>(
      `select count(*) as open from pg_stat_activity where datname = current_database() and state like 'idle in trans%'`,
    );
    expect(Number(open)).toBe(0);
    expect(await replicas.ledgerRow(slow.charge)).toMatchObject({ status: 'pending' });
    replicas.provider.letGo(slow.paymentId);
    expect(await hanging).toEqual(slow.paid);
  });
});

describe('R4 a charge whose answer is lost', () => {
  it.each<[ProviderFault, ProviderCall[]]>([
    ['loses-answer', ['create', 'confirm', 'retrieve', 'retrieve']],
    ['fails-before', ['create', 'confirm', 'retrieve', 'retrieve', 'confirm']],
  ])('is unknown, and is looked up by its name: %s', async (fault, expected) => {
    const { charge, plan, paid, taken, calls } = replicas.newCase();
    plan(fault, fault);
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await replicas.paymentOf(charge)).toMatchObject({
      status: 'pending',
      providerReference: expect.stringMatching(/^pi_/),
    });
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(one, charge)).toEqual(paid);
    expect([calls(), taken()]).toEqual([expected, amount]);
  });

  it('and that was made is refunded by its undo, and stays refunded', async () => {
    const { charge, refund, plan, paid, givenBack, taken, calls } = replicas.newCase();
    plan('loses-answer');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
    // The do comes late. It was done already, and its answer does not change.
    expect(await perform(one, charge)).toEqual(paid);
    expect(await perform(one, refund)).toEqual(givenBack);
    expect([taken(), calls()]).toEqual([0, ['create', 'confirm', 'cancel', 'refund']]);
  });

  it.each<[string, ProviderFault, string]>([
    ['was not made', 'fails-before', 'tok_ok'],
    ['was declined', 'loses-answer', 'tok_declined'],
  ])('and that %s is given up by its undo, and never made', async (_, fault, source) => {
    const { charge, refund, plan, neverCharged, calls } = replicas.newCase(source);
    plan(fault);
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(neverCharged);
    expect([await perform(one, charge), await perform(one, refund)]).toEqual([undone, neverCharged]);
    expect(calls()).toEqual(['create', 'confirm', 'cancel']);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'cancelled', declineReason: 'undone' });
  });

  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'and that has no name yet is undone without a call: %s',
    async (fault) => {
      const { charge, refund, planAll, neverCharged, calls } = replicas.newCase();
      planAll(fault);
      await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
      expect(await perform(other, refund)).toEqual(neverCharged);
      expect([await perform(one, charge), calls()]).toEqual([undone, ['create']]);
    },
  );

  it('and that has no name yet gets one by the same key, and is made', async () => {
    const { charge, planAll, paid, paymentId, calls } = replicas.newCase();
    planAll('loses-answer', 'fails-before');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    expect([await perform(one, charge), calls()]).toEqual([paid, ['create', 'create', 'create', 'confirm']]);
    expect(replicas.provider.intentsOf(paymentId)).toHaveLength(1);
  });

  it('stays unknown when the provider then refuses to tell: it may have the money already', async () => {
    const { charge, refund, plan, givenBack, taken } = replicas.newCase();
    plan('loses-answer', 'refuses', 'refuses');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, charge)).rejects.toBeInstanceOf(RetryableError);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'pending' });
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    expect([await perform(one, refund), taken()]).toEqual([givenBack, 0]);
  });

  it('cannot be undone while the provider does not tell, and the undo says so by not answering', async () => {
    const { charge, refund, plan, givenBack, taken } = replicas.newCase();
    plan('loses-answer', 'fails-before', 'fails-before');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    expect(await replicas.ledgerRow(refund)).toBeUndefined();
    expect(await perform(one, refund)).toEqual(givenBack);
    expect(taken()).toBe(0);
  });

  it('and whose undo has come is not made by the completer either', async () => {
    const { charge, refund, plan, paymentId, calls } = replicas.newCase();
    plan('fails-before', 'fails-before');
    await expect(perform(one, charge)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(one, charge)).toEqual(undone);
    expect([calls(), replicas.provider.timesCharged(paymentId)]).toEqual([
      ['create', 'confirm', 'cancel', 'cancel'],
      0,
    ]);
  });
});

describe('R3 the undo of a charge', () => {
  it('that never came is recorded, and the charge that comes late is refused', async () => {
    const { charge, refund, neverCharged } = replicas.newCase();
    expect(await perform(one, refund)).toEqual(neverCharged);
    expect(await perform(other, charge)).toEqual(undone);
    expect([await perform(other, refund), await perform(one, charge)]).toEqual([neverCharged, undone]);
    expect(replicas.callsFor(charge) + replicas.callsFor(refund)).toBe(0);
    expect(await replicas.paymentOf(charge)).toBeUndefined();
  });

  it('that was made gives the money back once, however often it is repeated', async () => {
    const { charge, refund, givenBack, taken } = replicas.newCase();
    await perform(one, charge);
    const replies = [];
    for (let time = 0; time < 4; time++) replies.push(await perform(time % 2 ? other : one, refund));
    expect(replies).toEqual([givenBack, givenBack, givenBack, givenBack]);
    expect([taken(), replicas.callsFor(refund)]).toEqual([0, 1]);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'succeeded', refunded: amount });
  });

  it('whose answer is lost is asked again under the same key and refunds once', async () => {
    const { charge, refund, plan, givenBack, taken } = replicas.newCase();
    plan('none', 'loses-answer');
    await perform(one, charge);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    expect(await perform(other, refund)).toEqual(givenBack);
    expect([taken(), replicas.callsFor(refund)]).toEqual([0, 2]);
  });

  it('that the provider does not take is refused, so that somebody looks at it, and may be asked for again', async () => {
    const { charge, refund, plan, givenBack, taken } = replicas.newCase();
    plan('none', 'refuses', 'refuses');
    await perform(one, charge);
    const refused = { outcome: 'refused', reason: 'refund_refused' };
    expect([await perform(one, refund), await perform(other, refund)]).toMatchObject([refused, refused]);
    expect(await replicas.ledgerRow(refund)).toBeUndefined();
    expect([await perform(one, refund), taken()]).toEqual([givenBack, 0]);
  });

  it('whose answer was lost is not called refused when the provider then refuses: the money may be back already', async () => {
    const { charge, refund, plan, givenBack, taken } = replicas.newCase();
    plan('none', 'loses-answer', 'refuses');
    await perform(one, charge);
    await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
    await expect(perform(other, refund)).rejects.toBeInstanceOf(RetryableError);
    // If the key was freed, it would seem new, and the time of the first call to the provider would be lost.
    expect(await replicas.ledgerRow(refund)).toMatchObject({ status: 'pending' });
    expect(await perform(one, refund)).toEqual(givenBack);
    expect([taken(), replicas.keptOf(refund)]).toEqual([0, 1]);
  });

  it('R20 is done once even after the ledger has forgotten both', async () => {
    const { charge, refund, paid, paymentId, taken } = replicas.newCase();
    await perform(one, charge);
    await forget(charge);
    expect(await perform(one, charge)).toEqual(paid);
    await perform(one, refund);
    await forget(charge);
    // The undo finds no do, and leaves a tombstone for it.
    expect([await perform(one, refund), await perform(one, charge)]).toEqual([nothingToRefund(paymentId), undone]);
    expect([taken(), replicas.callsFor(charge), replicas.callsFor(refund)]).toEqual([0, 1, 1]);
  });
});

/** The test runs every order and repetition of a charge and its refund, up to this length. */
const LONGEST_SEQUENCE = 4;
/** The number of the first calls to the provider that may fail. */
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
        const { charge, refund, planAll, paymentId, taken, calls, paid, givenBack, neverCharged } =
          replicas.newCase(source);
        planAll(...script);
        const commands = sequence.map((action) => (action === 'do' ? charge : refund));
        // First, each command comes once, answered or not. Then each comes again until it is answered.
        let beforeUndo: number | undefined;
        for (const [index, command] of commands.entries()) {
          if (command === refund) beforeUndo ??= calls().length;
          await perform(index % 2 ? other : one, command).catch(isPassing);
        }
        const replies = [];
        for (const command of commands) replies.push(await delivered(one, command));

        const isMade = replies.some((reply) => isDeepStrictEqual(reply, paid));
        const refused = source === 'tok_ok' ? undone : declined;
        const isRefused = replies.some((reply) => isDeepStrictEqual(reply, declined));
        const undo = isMade ? givenBack : isRefused ? nothingToRefund(paymentId) : neverCharged;
        const does = isMade ? paid : isRefused ? refused : undone;
        const isUndone = sequence.includes('undo');
        return {
          seen: {
            sequence,
            script,
            replies,
            money: taken(),
            charges: replicas.provider.timesCharged(paymentId),
            chargesByUndo: calls().slice(beforeUndo).includes('confirm'),
            refunds: replicas.keptOf(refund),
          },
          expected: {
            sequence,
            script,
            replies: sequence.map((action) => (action === 'do' ? does : undo)),
            money: isMade && !isUndone ? amount : 0,
            charges: Number(isMade),
            chargesByUndo: beforeUndo === undefined,
            refunds: Number(isMade && isUndone),
          },
          isMade: isMade || isUndone || source !== 'tok_ok',
        };
      });
      expect(outcomes.every(({ isMade }) => isMade)).toBe(true);
      expect(outcomes.map(({ seen }) => seen)).toEqual(outcomes.map(({ expected }) => expected));
    },
  );
});

describe('a command that cannot be read', () => {
  it.each<[string, (charge: Message) => Message, string]>([
    ['an unknown type', (charge) => ({ ...charge, type: 'payment.print-money.v1' }), 'unknown_command'],
    ['a negative amount', (charge) => withData(charge, { amount: -1 }), 'malformed_command'],
    ['half a cent', (charge) => withData(charge, { amount: 0.5 }), 'malformed_command'],
    ['no currency', (charge) => withData(charge, { currency: undefined }), 'malformed_command'],
    ['a currency in small letters', (charge) => withData(charge, { currency: 'eur' }), 'malformed_command'],
    ['a tenant that is none', (charge) => withData(charge, { tenant: 'a b' }), 'malformed_command'],
    ['an order id that is no UUID', (charge) => withData(charge, { orderId: 'order-7' }), 'malformed_command'],
    ['an empty source', (charge) => withData(charge, { source: '' }), 'malformed_command'],
    ['an endless source', (charge) => withData(charge, { source: 't'.repeat(1_201) }), 'malformed_command'],
  ])('is refused: %s', async (_, spoil, reason) => {
    const { charge } = replicas.newCase();
    expect(await perform(one, spoil(charge))).toMatchObject({ outcome: 'refused', reason });
    expect(replicas.callsFor(charge)).toBe(0);
  });

  it('is refused when it does not say which charge it undoes', async () => {
    const { refund } = replicas.newCase();
    const spoilt = withData(refund, { chargeId: '' });
    expect(await perform(one, spoilt)).toMatchObject({ outcome: 'refused', reason: 'malformed_command' });
  });
});

const withData = (message: Message, changed: object): Message => ({
  ...message,
  data: { ...(message.data as object), ...changed },
});

const forget = ({ subject }: Message) => replicas.query('delete from ledger where key like $1', [`${subject}/%`]);

function sequencesOf<T>(items: readonly T[], longest: number): T[][] {
  if (longest === 0) return [];
  const tails = [[], ...sequencesOf(items, longest - 1)];
  return items.flatMap((item) => tails.map((tail) => [item, ...tail]));
}

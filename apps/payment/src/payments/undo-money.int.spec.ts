/** The undo of a charge whose money is held, partly taken, partly given back, or disputed. */
import type { Message, Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { useStack } from '@shop/testing';
import {
  amount,
  delivered,
  isPassing,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
  tenant,
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

const told = (result: string, paymentId: string): Reply => ({ outcome: 'succeeded', result: { result, paymentId } });
const held = (charge: Message): Message => ({ ...charge, data: { ...(charge.data as object), capture: 'manual' } });
const refundsOf = (paymentId: string) =>
  replicas.query<{ amount: number; status: string; cause: string }[]>(
    'select amount::int, status, cause from refund where payment_id = $1',
    [paymentId],
  );

/** A charge of which the money is held, and of which some is taken. */
async function newHeld(taken = 0) {
  const { charge: plain, ...rest } = replicas.newCase();
  const charge = held(plain);
  await perform(one, charge);
  if (taken > 0) {
    const { reference } = replicas.provider.intentsOf(rest.paymentId)[0]!.intent;
    const about = { reference, currency: 'EUR', final: false, idempotencyKey: `${charge.id}/part` };
    await replicas.provider.capture({ ...about, id: 'cap_part', amount: taken });
    await replicas.query('update payment set captured = $2 where id = $1', [rest.paymentId, taken]);
  }
  return { charge, ...rest };
}

const dispute = async (paymentId: string, disputed: number) => {
  const objectId = replicas.provider.openDispute(paymentId, disputed);
  expect(await one.disputes.handle({ objectId })).toBe('done');
  return objectId;
};

describe('R58 a charge with manual capture', () => {
  it('R58 ends when the money is held, and takes none', async () => {
    const { charge, paymentId, taken } = await newHeld();
    expect(await perform(other, charge)).toEqual({ outcome: 'succeeded', result: { paymentId, status: 'authorized' } });
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'authorized', captured: 0 });
    expect(taken()).toBe(0);
  });

  it('R58 is voided by its undo, once, however often it is repeated', async () => {
    const { charge, refund, paymentId, taken, calls } = await newHeld();
    const replies = [await perform(one, refund), await perform(other, refund)];
    await replicas.query('delete from ledger where key = $1', [refund.id]);
    replies.push(await perform(one, refund));
    expect(replies).toEqual(Array<Reply>(3).fill(told('voided', paymentId)));
    expect([taken(), calls()]).toEqual([0, ['create', 'confirm', 'cancel']]);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'cancelled', declineReason: 'undone' });
  });

  it.each<[ProviderFault]>([['fails-before'], ['loses-answer']])(
    'R58 is voided once the provider tells: %s',
    async (fault) => {
      const { refund, paymentId, planAll } = await newHeld();
      planAll(fault);
      await expect(perform(one, refund)).rejects.toBeInstanceOf(RetryableError);
      expect(await perform(other, refund)).toEqual(told('voided', paymentId));
    },
  );

  it('R58 that is partly taken is undone wholly: the rest is released, and what was taken goes back', async () => {
    const { charge, refund, paymentId, taken } = await newHeld(1_000);
    expect(taken()).toBe(1_000);
    expect(await perform(one, refund)).toEqual(told('refunded', paymentId));
    expect(taken()).toBe(0);
    expect(await replicas.paymentOf(charge)).toMatchObject({ status: 'succeeded', captured: 1_000, refunded: 1_000 });
    expect(await refundsOf(paymentId)).toEqual([{ amount: 1_000, status: 'succeeded', cause: 'landed' }]);
  });
});

describe('R57 the undo of a charge', () => {
  it('R57 is a row among the refunds', async () => {
    const { charge, refund, paymentId, givenBack } = replicas.newCase();
    await perform(one, charge);
    expect(await perform(one, refund)).toEqual(givenBack);
    expect(await refundsOf(paymentId)).toEqual([{ amount, status: 'succeeded', cause: 'saga' }]);
  });

  it('R57 does not wait for the bank', async () => {
    const { charge, refund, paymentId, givenBack } = replicas.newCase();
    await perform(one, charge);
    replicas.provider.refundsBegin = 'pending';
    expect(await perform(one, refund)).toEqual(givenBack);
    replicas.provider.refundsBegin = 'succeeded';
    expect(await refundsOf(paymentId)).toEqual([{ amount, status: 'pending', cause: 'saga' }]);
  });

  it('R57 gives back what a dispute has left, and says so', async () => {
    const { charge, refund, paymentId, taken } = replicas.newCase();
    await perform(one, charge);
    await dispute(paymentId, 4_000);
    expect(await delivered(one, refund)).toEqual(told('disputed', paymentId));
    expect([taken(), await refundsOf(paymentId)]).toEqual([0, [{ amount: 200, status: 'succeeded', cause: 'saga' }]]);
  });

  it('R57 has nothing to do when a dispute has taken everything, and is not parked', async () => {
    const { charge, refund, paymentId } = replicas.newCase();
    await perform(one, charge);
    await dispute(paymentId, amount);
    expect([await perform(one, refund), await perform(other, refund)]).toEqual(
      Array<Reply>(2).fill(told('disputed', paymentId)),
    );
    expect(await refundsOf(paymentId)).toEqual([]);
  });

  it.each([
    [4_000, [200]],
    [amount, []],
  ])('R57 finds out about a dispute of %i that nobody told us of, and is not parked', async (disputed, given) => {
    const { charge, refund, paymentId, taken } = replicas.newCase();
    await perform(one, charge);
    replicas.provider.openDispute(paymentId, disputed);
    expect(await perform(one, refund)).toEqual(told('disputed', paymentId));
    expect([taken(), await replicas.paymentOf(charge)]).toMatchObject([0, { disputed }]);
    const made = (await refundsOf(paymentId)).filter(({ status }) => status === 'succeeded');
    expect(made.map((one) => one.amount)).toEqual(given);
  });

  it('R57 counts what was given back before, so no more goes back than was taken', async () => {
    const { charge, refund, paymentId, taken, givenBack } = replicas.newCase();
    await perform(one, charge);
    const reference = (await replicas.paymentOf(charge))!.providerReference!;
    await replicas.provider.refund({ idempotencyKey: `${refund.id}/other`, reference, amount: 1_000, currency: 'EUR' });
    await replicas.query('update payment set refunded = 1000 where id = $1', [paymentId]);
    expect(await perform(one, refund)).toEqual(givenBack);
    expect([taken(), await refundsOf(paymentId)]).toEqual([0, [{ amount: 3_200, status: 'succeeded', cause: 'saga' }]]);
  });

  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'R57 keeps its promise while a dispute comes: %s',
    async (fault) => {
      const { charge, refund, paymentId, plan, taken } = replicas.newCase();
      plan('none', fault);
      await perform(one, charge);
      await perform(one, refund).catch(isPassing);
      expect(await refundsOf(paymentId)).toEqual([{ amount, status: 'pending', cause: 'saga' }]);
      await perform(other, refund).catch(isPassing);
      expect([taken(), await refundsOf(paymentId)]).toEqual([0, [{ amount, status: 'succeeded', cause: 'saga' }]]);
    },
  );

  it('R57 gets back from a dispute that was won what nobody wants any more', async () => {
    const { charge, refund, paymentId, taken } = replicas.newCase();
    await perform(one, charge);
    const objectId = await dispute(paymentId, amount);
    await perform(one, refund);
    replicas.provider.decideDispute(objectId, 'won');
    await other.disputes.handle({ objectId });
    expect(await replicas.paymentOf(charge)).toMatchObject({ disputed: 0 });
    await one.waiting.settle({ tenant, id: paymentId });
    expect([taken(), await refundsOf(paymentId)]).toEqual([0, [{ amount, status: 'succeeded', cause: 'landed' }]]);
  });
});

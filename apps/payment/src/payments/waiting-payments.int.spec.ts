/** Payments that wait for their customer or a bank, on a real PostgreSQL with two replicas. */
import type { Message, Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { useStack } from '@shop/testing';
import {
  amount,
  declined,
  PaymentReplicas,
  perform,
  preparePaymentDatabase,
  tenant,
  undone,
} from '../../testing/payment-replicas';
import type { PaymentReplica } from '../../testing/replica';
import { hasten, markUndone, takeDue } from './waiting-payments.repository';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let replicas: PaymentReplicas;
let one: PaymentReplica;
let other: PaymentReplica;

beforeAll(async () => {
  replicas = await PaymentReplicas.open(stack.databaseUrl);
  ({ one, other } = replicas);
});
afterAll(() => replicas.close());

type Case = ReturnType<PaymentReplicas['newCase']>;

const expired: Reply = { outcome: 'refused', reason: 'payment_expired' };
const landsLater = (paymentId: string): Reply => ({
  outcome: 'succeeded',
  result: { result: 'refunded_when_it_lands', paymentId },
});

/** A charge that waits, and its reply. */
async function waitingCharge(source: string): Promise<Case & { reply: Reply }> {
  const made = replicas.newCase(source);
  return { ...made, reply: await perform(one, made.charge) };
}

const settle = (replica: PaymentReplica, { paymentId: id }: Case) => replica.waiting.settle({ tenant, id });
const decide = ({ paymentId }: Case, outcome: 'approved' | 'processing' | 'declined') =>
  replicas.provider.decide(paymentId, outcome);
const expire = ({ paymentId }: Case) =>
  replicas.query(`update payment set expires_at = now() - interval '1 second' where id = $1`, [paymentId]);
/** What was told to others about a payment, oldest first. What has no status is told as the name of its event. */
const eventsOf = async ({ paymentId }: Case) =>
  (
    await replicas.query<{ event: Message }[]>(
      `select event from outbox where event ->> 'subject' = $1 order by xid, position`,
      [paymentId],
    )
  ).map(({ event: { data, type } }) => (data as { status?: string }).status ?? type);
/** A refund that succeeded is told beside what became of the payment. */
const givenBack = ['payment.refunded.v1', 'refunded'];

describe('R56 a charge that the customer has to approve', () => {
  it('is answered with the page of the bank, and again to each repeat, without asking the provider', async () => {
    const made = await waitingCharge('tok_3ds');
    const { reference } = replicas.provider.intentsOf(made.paymentId)[0]!.intent;
    const until = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    const action = { type: 'redirect', url: `https://bank.example/${reference}`, expiresAt: until };
    expect(made.reply).toEqual({ outcome: 'waiting', waiting: { for: 'customer', until, action } });
    expect([await perform(other, made.charge), await perform(one, made.charge)]).toEqual([made.reply, made.reply]);
    expect(made.calls()).toEqual(['create', 'confirm']);
    expect(await replicas.paymentOf(made.charge)).toMatchObject({ status: 'pending', source: null });
    // Nobody resumes it: the row tells all.
    expect(await replicas.ledgerRow(made.charge)).toBeUndefined();
  });

  it('is paid when it was approved, and others are told once', async () => {
    const made = await waitingCharge('tok_3ds');
    decide(made, 'approved');
    await Promise.all([settle(one, made), settle(other, made), settle(one, made)]);
    expect(await perform(other, made.charge)).toEqual(made.paid);
    expect([made.taken(), await eventsOf(made)]).toEqual([amount, ['succeeded']]);
    expect(await replicas.paymentOf(made.charge)).toMatchObject({ status: 'succeeded', nextActionUrl: null });
  });

  it('is declined when the customer declines', async () => {
    const made = await waitingCharge('tok_3ds');
    decide(made, 'declined');
    await settle(other, made);
    expect([await perform(one, made.charge), made.taken()]).toEqual([declined, 0]);
    expect(await eventsOf(made)).toEqual(['declined']);
  });

  it('expires when nobody approves it in time: it is given up, and cannot be approved any more', async () => {
    const made = await waitingCharge('tok_3ds');
    await settle(one, made);
    expect((await perform(one, made.charge)).outcome).toBe('waiting');
    await expire(made);
    await settle(one, made);
    decide(made, 'approved');
    expect([await perform(other, made.charge), made.taken(), await eventsOf(made)]).toEqual([
      expired,
      0,
      ['cancelled'],
    ]);
  });

  it('is paid when it was approved in the last moment, before it could be given up', async () => {
    const made = await waitingCharge('tok_3ds');
    await expire(made);
    decide(made, 'approved');
    await settle(one, made);
    expect([await perform(other, made.charge), made.taken()]).toEqual([made.paid, amount]);
  });
});

describe('R56 the undo of a charge that waits', () => {
  it('gives it up, and kills the page of the bank', async () => {
    const made = await waitingCharge('tok_3ds');
    expect(await perform(other, made.refund)).toEqual(made.neverCharged);
    decide(made, 'approved');
    expect([await perform(one, made.charge), await perform(one, made.refund)]).toEqual([undone, made.neverCharged]);
    expect([made.taken(), made.calls()]).toEqual([0, ['create', 'confirm', 'cancel']]);
  });

  it('gives the money back that was taken in the same moment', async () => {
    const made = await waitingCharge('tok_3ds');
    decide(made, 'approved');
    expect(await perform(other, made.refund)).toEqual(made.givenBack);
    expect([await perform(one, made.refund), made.taken()]).toEqual([made.givenBack, 0]);
    await settle(one, made);
    expect([made.taken(), replicas.provider.refundsOf(made.paymentId).length]).toEqual([0, 1]);
  });

  it('marks also what was paid between its decision and its mark, so that it is given back', async () => {
    const made = await waitingCharge('tok_3ds');
    decide(made, 'approved');
    await settle(one, made);
    await replicas.database.transaction((tx) => markUndone(tx, { tenant, id: made.paymentId }));
    await settle(other, made);
    expect([made.taken(), await eventsOf(made)]).toEqual([0, ['succeeded', ...givenBack]]);
  });

  it.each([
    ['approved', 0, ['succeeded', ...givenBack]],
    ['declined', 0, ['cancelled']],
  ] as const)('cannot give up what a bank works on; when it is %s, no money is kept', async (outcome, money, told) => {
    const made = await waitingCharge('tok_processing');
    expect(made.reply).toMatchObject({ outcome: 'waiting', waiting: { for: 'provider' } });
    expect(await perform(other, made.refund)).toEqual(landsLater(made.paymentId));
    decide(made, outcome);
    await Promise.all([settle(one, made), settle(other, made)]);
    expect([made.taken(), await eventsOf(made)]).toEqual([money, told]);
    expect([await perform(one, made.refund), await perform(one, made.charge)]).toEqual([
      landsLater(made.paymentId),
      undone,
    ]);
  });

  it.each([['fails-before'], ['loses-answer']] as const)(
    'that the provider does not answer is not answered, and is carried out by whoever comes next: %s',
    async (fault) => {
      const made = await waitingCharge('tok_3ds');
      made.planAll(fault);
      await expect(perform(one, made.refund)).rejects.toBeInstanceOf(RetryableError);
      await settle(other, made);
      expect([await perform(other, made.refund), made.taken()]).toEqual([made.neverCharged, 0]);
    },
  );

  it('of a charge that the bank still works on when its time is over gives back what lands', async () => {
    const made = await waitingCharge('tok_processing');
    await expire(made);
    await settle(one, made);
    expect([await perform(one, made.charge), await eventsOf(made)]).toEqual([expired, ['expired']]);
    decide(made, 'approved');
    await settle(other, made);
    expect([made.taken(), await eventsOf(made)]).toEqual([0, ['expired', 'succeeded', ...givenBack]]);
  });
});

describe('R56 money that landed unwanted, and whose refund fails', () => {
  it.each([['fails-before'], ['loses-answer']] as const)('is given back once, later: %s', async (fault) => {
    const made = await waitingCharge('tok_processing');
    await perform(other, made.refund);
    decide(made, 'approved');
    made.planAll('none', fault);
    await expect(settle(one, made)).rejects.toBeInstanceOf(RetryableError);
    expect(await takeDue(replicas.database, 100)).toContainEqual({ tenant, id: made.paymentId });
    await Promise.all([settle(one, made), settle(other, made)]);
    expect([made.taken(), replicas.provider.refundsOf(made.paymentId).length]).toEqual([0, 1]);
  });
});

describe('R56 money that landed unwanted, and was given back by a process that then died', () => {
  it('is told once, and not looked for any more', async () => {
    const made = await waitingCharge('tok_processing');
    await perform(other, made.refund);
    decide(made, 'approved');
    await settle(one, made);
    // As between the transaction of the refund and the one that tells it.
    await replicas.query(`delete from outbox where event ->> 'id' = $1`, [`${made.paymentId}/refunded`]);
    await replicas.query(`update payment set check_at = now() where id = $1`, [made.paymentId]);
    await settle(other, made);
    expect([made.taken(), await eventsOf(made)]).toEqual([0, ['succeeded', ...givenBack]]);
    const left = await replicas.query('select check_at from payment where id = $1', [made.paymentId]);
    expect(left).toEqual([{ check_at: null }]);
  });
});

describe('R57 a payment that waits is asked about', () => {
  it('when it is time, by one replica, and not again at once', async () => {
    const made = await waitingCharge('tok_3ds');
    const isDue = async () => (await takeDue(replicas.database, 100)).some(({ id }) => id === made.paymentId);
    expect(await isDue()).toBe(false);
    expect(await replicas.database.transaction((tx) => hasten(tx, { tenant, id: made.paymentId }))).toBe(true);
    const found = await Promise.all([isDue(), isDue(), isDue()]);
    expect(found.filter(Boolean)).toHaveLength(1);
    expect(await isDue()).toBe(false);
  });

  it('and does not change while there is nothing new', async () => {
    const made = await waitingCharge('tok_processing');
    const before = await replicas.paymentOf(made.charge);
    await expire(made);
    for (let time = 0; time < 3; time++) await settle(one, made);
    expect(await replicas.paymentOf(made.charge)).toMatchObject({ version: before!.version + 1, undone: true });
    expect(await eventsOf(made)).toEqual(['expired']);
  });

  it('no more when it has reached an end', async () => {
    const made = await waitingCharge('tok_3ds');
    decide(made, 'approved');
    await settle(one, made);
    expect(await replicas.database.transaction((tx) => hasten(tx, { tenant, id: made.paymentId }))).toBe(false);
  });
});

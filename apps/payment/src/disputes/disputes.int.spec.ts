/** Disputes, and the money that goes back beside them, on two replicas with one database. */
import { useStack } from '@shop/testing';
import { callers, outcomeOf, PaymentApps } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { BookingDisputes } from './booking-disputes';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack);
});
afterAll(() => apps.close());
afterEach(() => {
  apps.provider.checksRefunds = true;
});

interface DisputeJson {
  id: string;
  status: string;
  amount: number;
  closedAt: string | null;
}

const hint = (id: string, replica: 0 | 1 = 0) =>
  apps.get<BookingDisputes>(BookingDisputes, replica).handle({ objectId: id });

async function disputed(paymentId: string, amount: number): Promise<string> {
  const id = apps.provider.openDispute(paymentId, amount);
  expect(await hint(id)).toBe('done');
  return id;
}

const disputesOf = async (paymentId: string) =>
  (await apps.read(`/payments/${paymentId}/disputes`)).json<{ items: DisputeJson[] }>().items;

describe('R57 a dispute', () => {
  it('R57 takes its amount out at once, and only the rest can be given back', async () => {
    const { id } = await apps.paid();
    const dispute = await disputed(id, 3_000);
    expect(await disputesOf(id)).toMatchObject([{ id: dispute, status: 'open', amount: 3_000, closedAt: null }]);
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', disputed: 3_000, refunded: 0 });
    const tooMuch = await apps.refund(id, 1_201);
    expect([outcomeOf(tooMuch), tooMuch.json<object>()]).toMatchObject([
      '409 refund_exceeds_payment',
      { refundable: 1_200 },
    ]);
    expect(outcomeOf(await apps.refund(id, 1_200))).toBe('201 ok');
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R57 that is won gives its money back to us, and one that is lost does not', async () => {
    const { id } = await apps.paid();
    const [first, second] = [await disputed(id, 1_000), await disputed(id, 2_000)];
    apps.provider.decideDispute(first, 'won');
    apps.provider.decideDispute(second, 'lost');
    await Promise.all([hint(first), hint(second)]);
    expect(await apps.payment(id)).toMatchObject({ disputed: 2_000 });
    expect(await disputesOf(id)).toMatchObject([
      { status: 'won', closedAt: expect.stringMatching(/Z$/) as string },
      { status: 'lost', closedAt: expect.stringMatching(/Z$/) as string },
    ]);
    expect(outcomeOf(await apps.refund(id, 2_201))).toBe('409 refund_exceeds_payment');
    expect(outcomeOf(await apps.refund(id, 2_200))).toBe('201 ok');
  });

  it('R57 counts once, however often and in whatever order it is told', async () => {
    const { id } = await apps.paid();
    const dispute = await disputed(id, 1_000);
    await Promise.all(Array.from({ length: 10 }, (_, index) => hint(dispute, index % 2 ? 1 : 0)));
    expect(await apps.payment(id)).toMatchObject({ disputed: 1_000 });
    apps.provider.decideDispute(dispute, 'lost');
    await hint(dispute);
    // What was looked up earlier is written later.
    apps.provider.decideDispute(dispute, 'open');
    await hint(dispute);
    expect(await disputesOf(id)).toMatchObject([{ status: 'lost' }]);
  });

  it('R57 of which the bank only asks moves no money', async () => {
    const { id } = await apps.paid();
    const dispute = apps.provider.openDispute(id, 1_000);
    apps.provider.decideDispute(dispute, 'inquiry');
    expect(await hint(dispute)).toBe('done');
    expect([await disputesOf(id), await apps.payment(id)]).toMatchObject([[], { disputed: 0 }]);
  });

  it('R57 of a payment that is not known under this name is looked at later', async () => {
    const { id } = await apps.paid();
    const dispute = apps.provider.openDispute(id, 1_000);
    const shown = apps.provider.disputes.get(dispute)!;
    apps.provider.disputes.set(dispute, { ...shown, payment: { ...shown.payment!, reference: 'pi_forged' } });
    expect(await hint(dispute)).toBe('later');
    expect(await apps.payment(id)).toMatchObject({ disputed: 0 });
  });

  it('R57 of everything, after everything was given back, is booked, and nothing more goes', async () => {
    const { id } = await apps.paid();
    await apps.refund(id, 4_200);
    const dispute = apps.provider.openDispute(id, 4_200);
    const shown = apps.provider.disputes.get(dispute)!;
    apps.provider.disputes.set(dispute, { ...shown, amount: 4_200 });
    await hint(dispute);
    expect(await apps.payment(id)).toMatchObject({ refunded: 4_200, disputed: 4_200 });
    expect(outcomeOf(await apps.refund(id, 1))).toBe('409 refund_exceeds_payment');
  });
});

describe('R57 fifty refunds and disputes at once', () => {
  it('R57 never take more than was paid', async () => {
    const { id } = await apps.paid();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const replica = index % 2 ? 1 : 0;
        if (index % 5 === 0) return hint(apps.provider.openDispute(id, 150), replica);
        return outcomeOf(await apps.refund(id, 150, { replica }));
      }),
    );
    expect(['done', '201 ok', '409 refund_exceeds_payment', '422 refund_refused']).toEqual(
      expect.arrayContaining([...new Set(answers)]),
    );
    const [row] = await apps.query<{ refunded: number; disputed: number; rows: number }>(
      `select refunded::int, disputed::int,
              (select coalesce(sum(amount), 0) from refund where payment_id = p.id and status = 'succeeded')::int as rows
       from payment p where id = $1`,
      [id],
    );
    const { refunded, disputed, rows } = row!;
    expect([rows, refunded + disputed]).toEqual([refunded, 4_200 - apps.provider.taken(id)]);
    expect(refunded + disputed).toBeLessThanOrEqual(4_200);
    expect(disputed).toBe(1_500);
    expect(await apps.query(`select 1 from refund where payment_id = $1 and status = 'pending'`, [id])).toEqual([]);
  });

  it('R57 of which only refunds are under way give back exactly what was paid, whatever the provider would do', async () => {
    const { id } = await apps.paid();
    apps.provider.checksRefunds = false;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => apps.refund(id, 200, { replica: index % 2 ? 1 : 0 })),
    );
    expect(answers.map(outcomeOf).filter((one) => one === '201 ok')).toHaveLength(21);
    expect([apps.provider.taken(id), await apps.payment(id)]).toMatchObject([0, { refunded: 4_200 }]);
  });

  it('R57 that are known already leave exactly the rest', async () => {
    const { id } = await apps.paid();
    await disputed(id, 4_000);
    apps.provider.checksRefunds = false;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => apps.refund(id, 100, { replica: index % 2 ? 1 : 0 })),
    );
    expect(answers.map(outcomeOf).filter((one) => one === '201 ok')).toHaveLength(2);
    expect(apps.provider.taken(id)).toBe(0);
  });
});

describe('R33 GET /disputes', () => {
  it('R33 R54 pages through the disputes of a tenant, by their status', async () => {
    const { id } = await apps.paid();
    const made: string[] = [];
    for (let time = 0; time < 3; time++) made.push(await disputed(id, 10));
    apps.provider.decideDispute(made[0]!, 'won');
    await hint(made[0]!);
    const open: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await apps.read(`/disputes?status=open&limit=2${cursor && `&cursor=${cursor}`}`);
      const { items, next } = page.json<{ items: DisputeJson[]; next: string | null }>();
      open.push(...items.map((item) => item.id));
      cursor = next;
    }
    expect(open).toEqual(expect.arrayContaining(made.slice(1)));
    expect(open).not.toContain(made[0]);
    expect((await apps.read('/disputes', { as: callers.rival })).json()).toEqual({ items: [], next: null });
    expect(outcomeOf(await apps.read('/disputes?status=any'))).toBe('400 validation_failed');
    expect(outcomeOf(await apps.read(`/payments/${id}/disputes`, { as: callers.rival }))).toBe('404 payment_not_found');
  });
});

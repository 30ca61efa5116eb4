/** The numbers of invoices when many are made at once, on two replicas, and when processes die at it. */
import { randomUUID } from 'node:crypto';
import { Idempotency, PostgresLedger } from '@shop/idempotency';
import { eventually, useStack } from '@shop/testing';
import { DyingDatabase } from '../../testing/dying-database';
import { consecutive, InvoiceWorld } from '../../testing/invoice-world';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { IssueInvoice } from './issue-invoice';
import { Ordered } from './ordered';
import { RecordingInvoices } from './recording-invoices';
import { Tax } from './tax';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let world: InvoiceWorld;

beforeAll(async () => {
  world = await InvoiceWorld.open(stack);
});
afterAll(() => world.close());

it('R39 500 at once on two replicas get numbers that follow one another, in the order of their times', async () => {
  const orders = Array.from({ length: 500 }, () => world.orders.add());
  await Promise.all(orders.map(({ id }, index) => world.patiently201(id, { replica: index % 2 ? 1 : 0 })));
  const places = await world.places('invoice');
  expect(places).toHaveLength(500);
  expect(places).toEqual(consecutive(places));
  const rows = await world.apps.query<{ at: Date }>(
    `select issued_at as at from invoice where kind = 'invoice' order by split_part(number, '-', 3)::int`,
  );
  const times = rows.map(({ at }) => at.getTime());
  expect(times).toEqual([...times].sort((one, other) => one - other));
  // Many orders are read with one question.
  expect(world.orders.heard.length).toBeLessThan(world.asked / 2);
}, 200_000);

describe('R39 a process that dies', () => {
  const deaths = [1, 2, 3].flatMap((transaction) => [
    ['before', transaction] as const,
    ['behind', transaction] as const,
  ]);
  let number = 0;

  /** The claim as the request would make it. */
  const newClaim = () => ({ scope: 'tenant/acme/test', key: `key-${++number}`, fingerprint: Buffer.alloc(32, 1) });
  /** With a tax service that nobody else has found wanting. */
  const openOn = (database: DyingDatabase | InvoiceWorld['apps']['database']) =>
    new IssueInvoice(
      new Idempotency(database, new PostgresLedger()),
      world.apps.get(Ordered),
      new Tax({ url: world.tax.url }),
      new RecordingInvoices(database),
    );

  it.each(deaths)('R39 %s commit %i leaves no gap, and whoever goes on makes one invoice', async (moment, nth) => {
    const before = await world.places('invoice');
    const { id: orderId } = world.orders.add();
    const wanted = { tenant: 'acme', orderId };
    const claim = newClaim();
    const dying = openOn(new DyingDatabase(world.apps.database.dataSource, nth, moment));
    await expect(dying.perform(claim, wanted)).rejects.toThrow();
    await world.apps.ageLease(claim.key);
    const heir = openOn(world.apps.database);
    const answer = await eventually(async () => {
      const outcome = await heir.perform(claim, wanted);
      if (!('answer' in outcome)) throw new Error(outcome.kind);
      return outcome.answer;
    });
    expect(answer.status).toBe(201);
    const places = await world.places('invoice');
    expect(places).toHaveLength(before.length + 1);
    expect(places).toEqual(consecutive(places));
  });

  it('R39 with a batch whose commit never comes leaves no gap', async () => {
    const before = await world.places('invoice');
    const dying = new RecordingInvoices(new DyingDatabase(world.apps.database.dataSource, 1, 'before'));
    const draft = () => ({
      tenant: 'acme',
      kind: 'invoice' as const,
      orderId: randomUUID(),
      placedBy: null,
      madeBy: null,
      currency: 'EUR',
      lines: [],
      totals: { gross: 0, net: 0, tax: 0, rates: [] },
      credits: null,
      refundId: null,
    });
    const lost = await Promise.allSettled(Array.from({ length: 20 }, () => dying.record(draft())));
    expect(new Set(lost.map(({ status }) => status))).toEqual(new Set(['rejected']));
    const next = await world.apps.get(RecordingInvoices).record(draft());
    expect(next.number).toMatch(new RegExp(`-0*${before.length + 1}$`));
  });
});

/** What becomes of tasks for the tax service, with two replicas of the payment service and a fake of that service. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { callers, outcomeOf, PaymentApps } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { TaxServer } from '../../testing/tax-server';
import type { NewTaxTask } from './tax-task';
import type { TaxTaskView } from './tax-task.view';
import { finishTask, queueTaxTasks, removeDone } from './tax-tasks.repository';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let server: TaxServer;
let apps: PaymentApps;

beforeAll(async () => {
  server = await TaxServer.open();
  apps = await PaymentApps.open(stack, { TAX_URL: server.url, TAX_API_KEY: 'secret' });
});
beforeEach(() => {
  server.heard.length = 0;
  server.ways = [];
  server.always = undefined;
});
afterAll(async () => {
  await apps.close();
  await server.close();
});

const rates = [{ rate: 1_900, gross: 1_190, net: 1_000, tax: 190 }];
const newNumber = (series = 'INV') => `${series}-2026-${randomUUID()}`;
const commitOf = (number = newNumber()): NewTaxTask => ({
  tenant: 'acme',
  kind: 'commit',
  number,
  invoice: number,
  currency: 'EUR',
  rates,
});
const refundOf = ({ invoice }: NewTaxTask): NewTaxTask => ({
  ...commitOf(newNumber('CN')),
  kind: 'refund',
  invoice,
});

const queue = (...tasks: NewTaxTask[]) => apps.database.transaction(async (tx) => queueTaxTasks(tx, tasks));

interface Row {
  status: string;
  attempts: number;
  last_error: string | null;
  is_later: boolean;
}

async function rowOf({ number }: NewTaxTask): Promise<Row> {
  const text = 'select status, attempts, last_error, next_at > now() as is_later from tax_task where number = $1';
  const [row] = await apps.query<Row>(text, [number]);
  return row!;
}
const untilStatus = (task: NewTaxTask, status: string) =>
  eventually(async () => expect(await rowOf(task)).toMatchObject({ status }));
/** How often the service was asked about a paper. */
const asksAbout = ({ number }: NewTaxTask): number =>
  server.heard.filter(({ path, body }) => (body.reference ?? path.split('/')[2]!.slice('acme.'.length)) === number)
    .length;
const toldAt = ({ invoice }: NewTaxTask) => server.transactions.get(`acme.${invoice}`);
const change = ({ number }: NewTaxTask, what: string) =>
  apps.query(`update tax_task set ${what} where number = $1`, [number]);
const retry = ({ number }: Pick<NewTaxTask, 'number'>, key?: string) =>
  apps.post(`/tax-tasks/${number}/retry`, {}, { key });

describe('R39 a task for the tax service', () => {
  it('R39 is told once, and the credit note behind its invoice', async () => {
    const invoice = commitOf();
    const [first, second] = [refundOf(invoice), refundOf(invoice)];
    await queue(first, second, invoice);
    for (const task of [invoice, first, second]) await untilStatus(task, 'done');
    expect([invoice, first, second].map(asksAbout)).toEqual([1, 1, 1]);
    expect(server.heard[0]!.method).toBe('PUT');
    expect([...toldAt(invoice)!.refunds.values()]).toEqual([1_190, 1_190]);
  });

  it('R39 is told once by two replicas, however many there are', async () => {
    const tasks = Array.from({ length: 60 }, () => commitOf());
    await queue(...tasks);
    for (const task of tasks) await untilStatus(task, 'done');
    expect(tasks.filter((task) => asksAbout(task) !== 1)).toEqual([]);
  });

  it('R39 is there once, and only with the transaction that writes it', async () => {
    const task = commitOf();
    const dying = apps.database.transaction(async (tx) => {
      queueTaxTasks(tx, [task]);
      throw new Error('killed');
    });
    await expect(dying).rejects.toThrow('killed');
    expect(await rowOf(task)).toBeUndefined();
    await queue(task);
    await untilStatus(task, 'done');
    await queue({ ...task, currency: 'USD' });
    expect(await rowOf(task)).toMatchObject({ status: 'done', attempts: 1 });
  });

  it('R39 is told again later while the service fails, and counts as told when its answer was lost', async () => {
    const task = commitOf();
    // It is away for us without a try: nobody takes it as a word about the invoice.
    server.always = { status: 401 };
    await queue(task);
    await eventually(async () =>
      expect(await rowOf(task)).toMatchObject({ status: 'open', last_error: 'tax_unavailable', is_later: true }),
    );
    server.always = undefined;
    server.ways = ['lost'];
    await change(task, 'next_at = now()');
    await untilStatus(task, 'done');
    expect(toldAt(task)).toBeDefined();
    expect((await rowOf(task)).last_error).toBeNull();
  });

  it('R39 is parked when the service has been away for three days', async () => {
    const task = commitOf();
    server.always = { status: 403 };
    await queue(task);
    await eventually(async () => expect(await rowOf(task)).toMatchObject({ last_error: 'tax_unavailable' }));
    await change(task, `open_since = now() - interval '73 hours', next_at = now()`);
    await untilStatus(task, 'parked');
    expect((await rowOf(task)).last_error).toBe('tax_unavailable');
  });

  it('R39 is parked with its reason when it is refused, does not hold up others, and an operator opens it again', async () => {
    const [invoice, other] = [commitOf(), commitOf()];
    await queue(invoice);
    await untilStatus(invoice, 'done');
    const refund = refundOf(invoice);
    server.ways = [{ status: 422, body: { code: 'refund_refused' } }];
    await queue(refund);
    await untilStatus(refund, 'parked');
    await queue(other);
    await untilStatus(other, 'done');
    const shown = await apps.read('/tax-tasks?status=parked&limit=200');
    const { items } = shown.json<{ items: TaxTaskView[] }>();
    expect(items.find(({ number }) => number === refund.number)).toMatchObject({
      kind: 'refund',
      invoice: invoice.number,
      amount: 1_190,
      tax: 190,
      currency: 'EUR',
      status: 'parked',
      attempts: 1,
      lastError: 'refund_refused',
    });
    expect(toldAt(refund)!.refunds.size).toBe(0);
    const key = randomUUID();
    const first = await retry(refund, key);
    expect(first.statusCode).toBe(200);
    expect(first.json<TaxTaskView>()).toMatchObject({ number: refund.number, status: 'open', lastError: null });
    await untilStatus(refund, 'done');
    expect((await retry(refund, key)).body).toBe(first.body);
    expect([...toldAt(refund)!.refunds.keys()]).toEqual([refund.number]);
    expect(outcomeOf(await retry(refund))).toBe('409 tax_task_not_parked');
  });

  it('R39 of a credit note waits until its invoice is known there', async () => {
    const invoice = commitOf();
    server.ways = [{ status: 422, body: { code: 'currency_unknown' } }];
    await queue(invoice);
    await untilStatus(invoice, 'parked');
    const [refund, other] = [refundOf(invoice), commitOf()];
    await queue(refund, other);
    await untilStatus(other, 'done');
    expect(await rowOf(refund)).toMatchObject({ status: 'open', attempts: 0 });
    expect((await retry(invoice)).statusCode).toBe(200);
    await untilStatus(refund, 'done');
  });

  it('R39 belongs to its tenant', async () => {
    const task = commitOf();
    server.ways = [{ status: 422 }];
    await queue(task);
    await untilStatus(task, 'parked');
    const asRival = await apps.post(`/tax-tasks/${task.number}/retry`, {}, { as: callers.rival });
    expect(outcomeOf(asRival)).toBe('404 tax_task_not_found');
    expect(outcomeOf(await retry({ number: 'INV 1' }))).toBe('404 tax_task_not_found');
    expect((await apps.read('/tax-tasks', { as: callers.rival })).json()).toEqual({ items: [], next: null });
    expect((await apps.read('/tax-tasks?status=lost')).statusCode).toBe(400);
  });

  it('R39 is removed a month after it was told, and never before', async () => {
    const [old, young, stuck] = [commitOf(), commitOf(), commitOf()];
    server.ways = [{ status: 422 }];
    await queue(stuck);
    await untilStatus(stuck, 'parked');
    await queue(old, young);
    for (const task of [old, young]) await untilStatus(task, 'done');
    for (const task of [old, stuck]) await change(task, `ended_at = now() - interval '31 days'`);
    await removeDone(apps.database, 500);
    expect(await rowOf(old)).toBeUndefined();
    expect([await rowOf(young), await rowOf(stuck)]).toMatchObject([{ status: 'done' }, { status: 'parked' }]);
  });

  // The last test, because its calls hang for a while.
  it('R39 is finished by its last attempt only', async () => {
    const task = commitOf();
    server.always = 'hangs';
    await queue(task);
    const { attempts } = await eventually(async () => {
      const row = await rowOf(task);
      expect(row.attempts).toBe(1);
      return row;
    });
    await change(task, 'next_at = now()');
    await eventually(async () => expect((await rowOf(task)).attempts).toBe(2));
    expect(await finishTask(apps.database, { ...task, attempts }, 'parked', 'late')).toBeUndefined();
    expect(await rowOf(task)).toMatchObject({ status: 'open', last_error: null });
    expect(await finishTask(apps.database, { ...task, attempts: attempts + 1 }, 'done', null)).toBe('done');
  });
});

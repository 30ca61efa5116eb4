/** `PUT /invoices/{number}` over HTTP, on two replicas of the payment service. */
import { randomUUID } from 'node:crypto';
import { expectProblem } from '@shop/http/testing';
import { useStack } from '@shop/testing';
import { broughtBody, consecutive, InvoiceWorld } from '../../testing/invoice-world';
import { callers } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import type { InvoiceView } from './invoice.view';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let world: InvoiceWorld;

beforeAll(async () => {
  world = await InvoiceWorld.open(stack);
});
afterAll(() => world.close());

let year = 2_000;
/** A number of a year in which there is nothing. */
const newNumber = (): string => `INV-${++year}-0001`;
const other = broughtBody({ issuedAt: '2020-04-01T00:00:00.000Z' });

describe('R39 an invoice that is brought', () => {
  it('R39 is created, and the same again changes nothing', async () => {
    const number = newNumber();
    const created = await world.put(number, broughtBody());
    expect([created.statusCode, created.headers['location'], created.headers['etag']]).toEqual([
      201,
      `/invoices/${number}`,
      '"1"',
    ]);
    expect(created.json()).toEqual({
      ...broughtBody(),
      number,
      kind: 'invoice',
      origin: 'brought',
      orderId: null,
      version: 1,
    });
    for (const replica of [0, 1] as const) {
      const again = await world.put(number, broughtBody(), { replica });
      expect([again.statusCode, again.body]).toEqual([200, created.body]);
    }
    expect((await world.apps.read(`/invoices/${number}`)).body).toBe(created.body);
  });

  it('R39 is replaced, if it is the version that is named', async () => {
    const number = newNumber();
    await world.put(number, broughtBody());
    const replaced = await world.put(number, other, { headers: { 'if-match': '"1"' } });
    expect(replaced.json()).toMatchObject({ version: 2, issuedAt: other.issuedAt });
    expectProblem(
      await world.put(number, broughtBody(), { headers: { 'if-match': '"1"' } }),
      412,
      'precondition_failed',
    );
    expect((await world.put(number, broughtBody())).json()).toMatchObject({ version: 3 });
    expectProblem(await world.put(number, other, { headers: { 'if-none-match': '*' } }), 412, 'precondition_failed');
    expectProblem(await world.put(newNumber(), other, { headers: { 'if-match': '"1"' } }), 412, 'precondition_failed');
  });

  it('R39 is one when many bring it at the same time, and what came last stays', async () => {
    const number = newNumber();
    const bodies = Array.from({ length: 20 }, (_, hour) =>
      broughtBody({ issuedAt: `2020-05-01T${String(hour).padStart(2, '0')}:00:00.000Z` }),
    );
    const put = (body: object, index: number) => world.put(number, body, { replica: index % 2 ? 1 : 0 });
    const answers = await Promise.all(bodies.map(put));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    const versions = answers.map((answer) => answer.json<InvoiceView>()).sort((one, two) => one.version - two.version);
    expect(versions.map(({ version }) => version)).toEqual(consecutive(versions.map(({ version }) => version)));
    expect((await world.apps.read(`/invoices/${number}`)).json()).toEqual(versions.at(-1));
  });

  it('R39 has to add up', async () => {
    const line = broughtBody().lines[0]!;
    const wrong = [
      broughtBody({ lines: [{ ...line, tax: 191 }] }),
      broughtBody({ lines: [line, line] }),
      broughtBody({ totals: { ...broughtBody().totals, gross: 1_191 } }),
      broughtBody({ totals: { ...broughtBody().totals, rates: [] } }),
    ];
    for (const body of wrong) expectProblem(await world.put(newNumber(), body), 422, 'totals_do_not_add_up');
  });

  it.each(['INV-2025-1', 'INV-2025-0000', 'INV-25-0001', 'CN-2025-0001', 'INV-2025-123456789', 'inv-2025-0001'])(
    'R39 is not taken under the number %s',
    async (number) => expectProblem(await world.put(number, broughtBody()), 400, 'validation_failed'),
  );

  it.each([{ issuedAt: 'yesterday' }, { issuedAt: '2020-12-31T23:59:60Z' }, { lines: [] }, { orderId: 7 }])(
    'R39 is not taken with %j',
    async (changed) => expectProblem(await world.put(newNumber(), broughtBody(changed)), 400, 'validation_failed'),
  );

  it('R39 is the invoice of its order: there is no other one', async () => {
    const { id: orderId } = world.orders.add();
    const number = newNumber();
    await world.put(number, broughtBody({ orderId }));
    const issued = await world.issue(orderId);
    expect([issued.statusCode, issued.json<InvoiceView>().number]).toEqual([200, number]);
    const second = await world.put(newNumber(), broughtBody({ orderId }));
    expectProblem(second, 409, 'order_invoiced');
    expect(second.json()).toMatchObject({ number });
    // Customers do not see it: nobody has told who has placed the order.
    expectProblem(await world.apps.read(`/invoices/${number}`, { as: callers.customer }), 404, 'invoice_not_found');
  });
});

describe('R39 in the year in which numbers are given out', () => {
  const thisYear = async (): Promise<number> => {
    const [row] = await world.apps.query<{ year: number }>(
      `select extract(year from now() at time zone 'utc')::int as year`,
    );
    return row!.year;
  };

  it('R39 they go on behind the greatest that was brought, and then none is brought any more', async () => {
    const begin = `INV-${await thisYear()}`;
    for (const number of [`${begin}-0007`, `${begin}-0003`]) {
      expect((await world.put(number, broughtBody())).statusCode).toBe(201);
    }
    const { number } = await world.issued();
    expect(number).toBe(`${begin}-0008`);
    expectProblem(await world.put(number, broughtBody()), 409, 'invoice_issued');
    for (const place of ['0004', '0009', '0100']) {
      expectProblem(await world.put(`${begin}-${place}`, broughtBody()), 409, 'series_in_use');
    }
    // What was brought before may still be corrected.
    expect((await world.put(`${begin}-0003`, other)).json()).toMatchObject({ version: 2 });
    expect((await world.issued()).number).toBe(`${begin}-0009`);
  });

  it('R39 nobody brings a number that is given out at the same moment', async () => {
    const begin = `INV-${await thisYear()}`;
    const tenant = 'rival';
    const as = callers.rival;
    const orders = Array.from({ length: 20 }, () => world.orders.add({ tenant }));
    const put = (_: object, index: number) =>
      world.put(`${begin}-${String(index + 1).padStart(4, '0')}`, broughtBody(), { as });
    const [made, brought] = await Promise.all([
      Promise.all(orders.map(({ id }) => world.issue(id, { as }))),
      Promise.all(orders.map(put)),
    ]);
    expect(new Set(made.map(({ statusCode }) => statusCode))).toEqual(new Set([201]));
    const taken = brought
      .filter(({ statusCode }) => statusCode === 201)
      .map((answer) => answer.json<InvoiceView>().number);
    const given = made.map((answer) => answer.json<InvoiceView>().number).sort();
    expect(new Set([...taken, ...given]).size).toBe(taken.length + given.length);
    const [series] = await world.apps.query<{ first: number; last: number }>(
      `select first_issued as first, last from invoice_series where tenant = 'rival' and kind = 'invoice'`,
    );
    expect(series!.last - series!.first + 1).toBe(20);
    const issued = await world.places('invoice', tenant);
    expect(issued.slice(-20)).toEqual(Array.from({ length: 20 }, (_, index) => series!.first + index));
  });
});

describe('R39 an invoice', () => {
  it('R39 is JSON or a page of paper, each with a tag of its own', async () => {
    const number = newNumber();
    await world.put(number, broughtBody());
    const read = (url: string, headers: Record<string, string> = {}) => world.apps.read(url, { headers });
    const url = `/invoices/${number}`;
    const json = await read(url);
    expect(json.headers).toMatchObject({ etag: '"1"', vary: expect.stringContaining('accept') as string });
    for (const paper of [await read(url, { accept: 'application/pdf' }), await read(`${url}.pdf`)]) {
      expect(paper.headers).toMatchObject({ 'content-type': 'application/pdf', etag: '"1.pdf"' });
      expect(paper.body.slice(0, 5)).toBe('%PDF-');
    }
    expect((await read(url, { 'if-none-match': '"1"' })).statusCode).toBe(304);
    expect((await read(url, { 'if-none-match': '"1.pdf"' })).statusCode).toBe(200);
    expect((await read(`${url}.pdf`, { 'if-none-match': '"1.pdf"' })).statusCode).toBe(304);
    for (const unknown of [newNumber(), `${newNumber()}.pdf`, 'INV', randomUUID()]) {
      expectProblem(await read(`/invoices/${unknown}`), 404, 'invoice_not_found');
    }
  });

  it('R39 is in the list, page by page', async () => {
    const numbers: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: InvoiceView[]; next: string | null } = (
        await world.apps.read(`/invoices?limit=3&kind=invoice${cursor && `&cursor=${cursor}`}`)
      ).json();
      numbers.push(...page.items.map(({ number }) => number));
      cursor = page.next;
    }
    expect(numbers).toHaveLength((await world.places('invoice')).length);
    expect(new Set(numbers).size).toBe(numbers.length);
    expectProblem(await world.apps.read('/invoices?cursor=x'), 400, 'validation_failed');
  });
});

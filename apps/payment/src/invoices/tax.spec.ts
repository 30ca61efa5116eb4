/** The tax client over real sockets to a fake of the service, and its times by a clock that the test moves. */
import { RetryBudget } from '@shop/resilience';
import { seededRandom } from '@shop/testing';
import { TaxServer, type TaxWay } from '../../testing/tax-server';
import { Tax, taxDependency, TaxRefusedError, TaxUnavailableError } from './tax';

const lines = [
  { sku: 'cup', quantity: 2, gross: 3_998 },
  { sku: 'book-1', quantity: 1, gross: 1_070 },
];
const rates = [{ rate: 1_900, gross: 1_190, net: 1_000, tax: 190 }];
const asked = { tenant: 'acme', currency: 'EUR', lines };
const transaction = { tenant: 'acme', number: 'INV-2026-0001', currency: 'EUR', rates };
const credit = { ...transaction, reference: 'CN-2026-0001' };

/** A random number that makes each wait as short, or as long, as it can be. */
const openDependency = (random: () => number = () => 0) => taxDependency({ random, budget: new RetryBudget() });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: Error) => (error instanceof TaxRefusedError ? error.code : error.constructor.name),
  );

describe('R39 Tax', () => {
  let server: TaxServer;
  let tax: Tax;
  const newTax = () => new Tax({ url: `${server.url}/`, key: 'secret', dependency: openDependency() });

  beforeEach(async () => {
    server = await TaxServer.open();
    tax = newTax();
  });
  afterEach(() => server.close());

  it('R39 asks for the rates of the lines, and shows its key', async () => {
    expect(await tax.quote({ ...asked, country: 'DE' })).toEqual([1_900, 700]);
    expect(server.heard).toMatchObject([
      {
        method: 'POST',
        path: '/quotes',
        headers: { authorization: 'Bearer secret' },
        body: {
          currency: 'EUR',
          country: 'DE',
          lines: [{ sku: 'cup', quantity: 2, amount: 3_998 }, { sku: 'book-1' }],
        },
      },
    ]);
  });

  it('R39 tells of an invoice and of a credit note once, however often they are told', async () => {
    for (let time = 1; time <= 2; time++) {
      await tax.commit(transaction);
      await tax.refund(credit);
    }
    expect(server.asked.slice(0, 2)).toEqual([
      'PUT /transactions/acme.INV-2026-0001',
      'POST /transactions/acme.INV-2026-0001/refunds',
    ]);
    expect(server.heard[1]).toMatchObject({
      headers: { 'idempotency-key': 'acme.CN-2026-0001' },
      body: { reference: 'CN-2026-0001', amount: 1_190 },
    });
    expect([...server.transactions.values()]).toEqual([
      { currency: 'EUR', rates, refunds: new Map([['CN-2026-0001', 1_190]]) },
    ]);
  });

  it('R39 counts as told what was told by a try whose answer was lost', async () => {
    server.ways = ['lost'];
    await tax.commit(transaction);
    server.ways = ['lost'];
    await tax.refund(credit);
    expect(server.heard).toHaveLength(4);
    expect(server.transactions.size).toBe(1);
  });

  it('R39 keeps the numbers of tenants apart', async () => {
    await tax.commit(transaction);
    await tax.commit({ ...transaction, tenant: 'rival' });
    expect([...server.transactions.keys()]).toEqual(['acme.INV-2026-0001', 'rival.INV-2026-0001']);
  });

  it.each<[string, TaxWay]>([
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['408', { status: 408 }],
    ['429 with the time when to come', { status: 429, headers: { 'retry-after': '0' } }],
    ['a connection that is reset', 'resets'],
    ['a connection that is closed without an answer', 'closes'],
  ])('R43 makes exactly four tries when there is always %s, and no fifth', async (_, way) => {
    server.always = way;
    const calls = [() => tax.quote(asked), () => tax.commit(transaction), () => tax.refund(credit)];
    for (const call of calls) {
      server.heard.length = 0;
      // Together they would open the circuit.
      tax = newTax();
      expect(await codeOf(call())).toBe('TaxUnavailableError');
      expect(server.heard).toHaveLength(4);
    }
  });

  it('R43 is content with the fourth answer', async () => {
    server.ways = [{ status: 500 }, 'resets', { status: 503 }];
    expect(await tax.quote(asked)).toEqual([1_900, 700]);
    expect(server.heard).toHaveLength(4);
  });

  it.each<[string, TaxWay, string]>([
    ['400', { status: 400 }, 'status_400'],
    [
      '404 of an invoice that is not known there',
      { status: 404, body: { code: 'unknown_transaction' } },
      'unknown_transaction',
    ],
    ['422 with a reason', { status: 422, body: { code: 'refund_refused' } }, 'refund_refused'],
    ['422 with a reason that is no word', { status: 422, body: { code: 'Ann <ann@x>' } }, 'status_422'],
    ['409 that does not say that it is known', { status: 409, body: { code: 'conflict' } }, 'conflict'],
    [
      '401, which is no word about the invoice',
      { status: 401, body: { code: 'unauthenticated' } },
      'TaxUnavailableError',
    ],
    ['404 of somebody else', { status: 404, body: 'not found' }, 'TaxUnavailableError'],
    ['a way to another address', { status: 302, headers: { location: '/x' } }, 'TaxUnavailableError'],
  ])('R43 does not try again after %s', async (_, way, code) => {
    server.always = way;
    expect(await codeOf(tax.refund(credit))).toBe(code);
    expect(server.heard).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['no JSON that can be used', 'yes'],
    ['too few lines', { lines: [{ sku: 'cup', rate: 1_900 }] }],
    [
      'other lines',
      {
        lines: [
          { sku: 'cup', rate: 1_900 },
          { sku: 'pen', rate: 700 },
        ],
      },
    ],
    [
      'a rate below zero',
      {
        lines: [
          { sku: 'cup', rate: -1 },
          { sku: 'book-1', rate: 700 },
        ],
      },
    ],
    [
      'a rate that is no whole number',
      {
        lines: [
          { sku: 'cup', rate: 19.5 },
          { sku: 'book-1', rate: 700 },
        ],
      },
    ],
    [
      'a rate above all',
      {
        lines: [
          { sku: 'cup', rate: 10_001 },
          { sku: 'book-1', rate: 700 },
        ],
      },
    ],
  ])('R39 does not believe a quote with %s', async (_, body) => {
    server.always = { status: 200, body };
    expect(await codeOf(tax.quote(asked))).toBe('TaxUnavailableError');
  });

  it('R39 tells when to come again, if the service has told it', async () => {
    server.always = { status: 429, headers: { 'retry-after': '30' } };
    expect(await tax.quote(asked).catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 30_000 });
    expect(server.heard).toHaveLength(1);
  });

  it('R39 is away without an address, and asks nobody', async () => {
    expect(await codeOf(new Tax({ dependency: openDependency() }).quote(asked))).toBe('TaxUnavailableError');
  });

  it('R39 does not repeat what the service has said in its own words', async () => {
    server.always = { status: 500, body: { code: 'Ann lives in Hamburg' } };
    const error = await tax.quote(asked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaxUnavailableError);
    expect((error as Error).message).toBe('the tax service is away');
  });
});

describe('R43 the times of a call of the tax service', () => {
  let at: number[];
  let begunAt: number;

  beforeEach(() => {
    jest.useFakeTimers();
    at = [];
    begunAt = performance.now();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  /** The times of the tries of a quote, when each is answered so. */
  async function triesOf(answer: () => Promise<Response>, random: () => number): Promise<number[]> {
    jest.spyOn(globalThis, 'fetch').mockImplementation(() => {
      at.push(Math.round(performance.now() - begunAt));
      return answer();
    });
    const tax = new Tax({ url: 'http://tax.example', dependency: openDependency(random) });
    const outcome = codeOf(tax.quote(asked));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toBe('TaxUnavailableError');
    return at;
  }
  const fails = async () => new Response('{}', { status: 503 });
  const hangs = () => new Promise<Response>(() => undefined);
  /** Just above what `Math.random` gives. */
  const most = () => 1;

  it('R43 waits at most 200, 400 and 800 ms between them', async () => {
    expect(await triesOf(fails, most)).toEqual([0, 200, 600, 1_400]);
  });

  it('R43 waits with full jitter: anything from nothing to the whole', async () => {
    expect(await triesOf(fails, () => 0.01)).toEqual([0, 2, 6, 14]);
    at = [];
    begunAt = performance.now();
    expect(await triesOf(fails, () => 0.5)).toEqual([0, 100, 300, 700]);
  });

  it('R43 ends a try that hangs after two seconds, also the fourth one behind the longest waits', async () => {
    expect(await triesOf(hangs, most)).toEqual([0, 2_200, 4_600, 7_400]);
  });

  it('R43 never waits longer, whatever the chance', async () => {
    const { next } = seededRandom(39);
    for (let run = 0; run < 50; run++) {
      at = [];
      begunAt = performance.now();
      const [first, ...others] = await triesOf(fails, next);
      const waits = others.map((time, index) => time - at[index]!);
      expect([first, waits.length]).toEqual([0, 3]);
      waits.forEach((wait, index) => expect(wait).toBeLessThanOrEqual([200, 400, 800][index]!));
    }
  });

  it('R43 waits as long as the service wants, if that is within the time of the call', async () => {
    const busy = async () => new Response('{}', { status: 429, headers: { 'retry-after': '2' } });
    expect(await triesOf(busy, () => 0.5)).toEqual([0, 2_100, 4_300, 6_700]);
  });
});

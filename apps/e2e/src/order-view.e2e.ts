/** The page of an order in the real system, while payment is killed, frozen, and back. */
import { type ApiResponse, catalogue } from '@shop/system';
import { eventually } from '@shop/testing';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 120_000;
const MANY = 100;
/** The circuit rests for seconds before it looks again. */
const BACK_WITHIN = { timeoutMs: 60_000 };

interface Screen {
  order: Order;
  progress: { status: string; percent: number; text: string };
  payment?: { status: string; captured: number };
  reservation?: { status: string; lines: object[] };
  degraded: string[];
}

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open(catalogue);
}, TIMEOUT_MS);
afterAll(() => shop?.close());

const view = (id: string): Promise<ApiResponse<Screen>> => shop.order.get<Screen>(`/orders/${id}/view`);

async function confirmed(): Promise<string> {
  const { body } = await shop.place([{ sku: 'cup', quantity: 2 }]);
  expect((await shop.settled(body.id)).body.status).toBe('confirmed');
  return body.id;
}

/** A neighbour that is late once is no trouble. */
const complete = (id: string): Promise<ApiResponse<Screen>> =>
  eventually(async () => {
    const answer = await view(id);
    expect([answer.status, answer.body.degraded]).toEqual([200, []]);
    return answer;
  }, BACK_WITHIN);

/** Everybody gets the page, at once and again, with all but the payment. */
async function pagesWithoutPayment(id: string): Promise<void> {
  const answers = await Promise.all(Array.from({ length: MANY }, () => view(id)));
  const reports = answers.map(({ status, body }) => [status, body.order.status, body.degraded.includes('payment')]);
  expect(reports).toEqual(Array.from({ length: MANY }, () => [200, 'confirmed', true]));
  await eventually(async () => {
    const { body } = await view(id);
    expect([body.degraded, body.reservation?.status]).toEqual([['payment', 'invoice'], 'confirmed']);
  });
}

/** What a customer has just done is on the page, without payment too. */
async function showsWhatWasDone(): Promise<void> {
  const { body: order } = await shop.place([{ sku: 'cup', quantity: 1 }]);
  expect((await view(order.id)).body.order).toMatchObject({ id: order.id, status: 'pending' });
  expect((await shop.order.send('DELETE', `/orders/${order.id}`)).status).toBe(204);
  const { body } = await view(order.id);
  // One whose charge was never sent is cancelled in a moment.
  expect(['cancelling', 'cancelled']).toContain(body.order.status);
  expect(body.progress.status).toBe(body.order.status);
}

describe('the page of an order', () => {
  it(
    'is complete when all answer, and tells no secret of the payment',
    async () => {
      const id = await confirmed();
      const { body, text } = await complete(id);
      expect(body).toMatchObject({
        order: { id, status: 'confirmed' },
        progress: { status: 'confirmed', percent: 100 },
        payment: { status: 'succeeded' },
        reservation: { status: 'confirmed', lines: [{ sku: 'cup', quantity: 2 }] },
      });
      expect(text).not.toMatch(/tok_|pi_|pmt_/);
    },
    TIMEOUT_MS,
  );

  it(
    'goes without a payment service that was killed, and shows it when it is back',
    async () => {
      const id = await confirmed();
      await shop.system.services.payment.kill();
      await pagesWithoutPayment(id);
      await showsWhatWasDone();
      await shop.system.services.payment.start();
      await complete(id);
    },
    TIMEOUT_MS,
  );

  it(
    'goes without a payment service that takes connections and never answers, and shows it when it is back',
    async () => {
      const id = await confirmed();
      const { pid } = shop.system.services.payment;
      process.kill(pid!, 'SIGSTOP');
      try {
        await pagesWithoutPayment(id);
        await showsWhatWasDone();
      } finally {
        process.kill(pid!, 'SIGCONT');
      }
      await complete(id);
      // What was cancelled meanwhile ends as it should.
      await eventually(async () => expect(await shop.books()).toMatchObject({ unsettled: 0, faults: [] }), BACK_WITHIN);
    },
    TIMEOUT_MS,
  );
});

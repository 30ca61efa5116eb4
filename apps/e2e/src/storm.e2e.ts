import { createWorkload, inParallel, type Posting } from '@shop/system';
import { doubleMessages } from './doubled-messages';
import { type Order, Shop } from './shop';

const ORDERS = 300;
const CONCURRENCY = 32;
const TIMEOUT_MS = 180_000;
const SETTLE_TIMEOUT_MS = 90_000;
const ASK_AGAIN_MS = 250;
/** Longer than a lease of the payment service and than the broker's ack wait. */
const ASLEEP_MS = 11_000;

/** Asks again while the gateway is away. It gives up without an error, because the books show what is not settled. */
async function untilSettled(shop: Shop, id: string): Promise<void> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const status = await shop.settled(id).then(
      ({ body }) => body.status,
      () => undefined,
    );
    if (status === 'confirmed' || status === 'cancelled') return;
    if (status === undefined) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

/** Posts everything, repeats included, and waits until every order is settled. */
async function storm(shop: Shop, postings: readonly Posting[]): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  await inParallel(postings, CONCURRENCY, async (posting) => {
    const { status, text } = await shop.post(posting);
    expect(status).toBe(201);
    // Every repeat gets the answer of the first.
    expect(answers.get(posting.key) ?? text).toBe(text);
    answers.set(posting.key, text);
  });
  const ids = [...answers.values()].map((text) => (JSON.parse(text) as Order).id);
  await inParallel(ids, CONCURRENCY, (id) => untilSettled(shop, id));
  return answers;
}

describe('a storm of mixed orders', () => {
  let shop: Shop;
  let workload: ReturnType<typeof createWorkload>;

  beforeEach(async () => {
    workload = createWorkload({ orders: ORDERS, seed: 7, skus: 50, declined: 0.1, outOfStock: 0.05, repeated: 0.2 });
    shop = await Shop.open(workload.products);
  }, TIMEOUT_MS);

  afterEach(() => shop?.close());

  const expectExactBooks = async (answers: Map<string, string>) => {
    const books = await shop.books();
    expect(books.faults).toEqual([]);
    expect(books.orders).toBe(answers.size);
    expect(answers.size).toBe(ORDERS);
    expect(books.confirmed).toBeGreaterThan(0);
    expect(books.cancelled).toBeGreaterThan(0);
  };

  it(
    'R1 settles every order with exact books',
    async () => {
      await expectExactBooks(await storm(shop, workload.postings));
    },
    TIMEOUT_MS,
  );

  it(
    'R3 settles every order with exact books when each message is delivered twice',
    async () => {
      const doubling = await doubleMessages(shop.system.stack.natsUrl);
      try {
        await expectExactBooks(await storm(shop, workload.postings));
        expect(doubling.copies()).toBeGreaterThan(0);
      } finally {
        await doubling.stop();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'R11 loses and doubles nothing when each service is killed once',
    async () => {
      const killing = (async () => {
        for (const name of ['payment', 'inventory', 'order', 'fulfilment', 'sandbox'] as const) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          await shop.system.services[name].kill('SIGKILL');
          await shop.system.services[name].start();
        }
      })();
      const [answers] = await Promise.all([storm(shop, workload.postings), killing]);
      await expectExactBooks(answers);
    },
    TIMEOUT_MS,
  );

  it(
    'R11 loses and doubles nothing with two replicas of each service, one killed and the other paused for longer than its leases',
    async () => {
      const names = ['order', 'inventory', 'payment', 'fulfilment'] as const;
      const replicas = await Promise.all(names.map((name) => shop.system.addReplica(name)));
      const sleepers = names.map((name) => shop.system.services[name].pid!);
      const trouble = (async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        for (const pid of sleepers) process.kill(pid, 'SIGSTOP');
        await Promise.all(replicas.map((replica) => replica.kill('SIGKILL').then(() => replica.start())));
        await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS));
        for (const pid of sleepers) process.kill(pid, 'SIGCONT');
      })();
      const [answers] = await Promise.all([storm(shop, workload.postings), trouble]);
      await expectExactBooks(answers);
    },
    TIMEOUT_MS,
  );

  it(
    'R10 loses and doubles nothing when the broker is killed and its store deleted',
    async () => {
      const wiping = (async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await shop.system.stack.wipeNats();
      })();
      const [answers] = await Promise.all([storm(shop, workload.postings), wiping]);
      await expectExactBooks(answers);
    },
    TIMEOUT_MS,
  );

  it(
    'R11 loses and doubles nothing when PostgreSQL is restarted at once',
    async () => {
      const restarting = (async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await shop.system.stack.restartPostgres('immediate');
      })();
      const [answers] = await Promise.all([storm(shop, workload.postings), restarting]);
      await expectExactBooks(answers);
    },
    TIMEOUT_MS,
  );
});

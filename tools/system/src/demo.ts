/** `npm run demo`: orders of every kind on a fresh system, the story of each, and the books at the end. */
import { randomUUID } from 'node:crypto';
import { printable, printableLines } from '@shop/observability';
import { StackError } from '@shop/stack';
import { ApiClient, type ApiResponse } from './api-client';
import { auditBooks } from './books';
import { DEVELOPMENT_KEY } from './development-key';
import { stopInOrder } from './orderly-stop';
import { catalogue, seed } from './seed';
import { startSystem, type System } from './system';
import { type SagaStory, timelineOf } from './timeline';

interface Order {
  id: string;
  status: string;
  reason?: string;
  code?: string;
}

interface Scene {
  title: string;
  play: (stage: Stage) => Promise<void>;
}

const print = (line = ''): void => void process.stdout.write(`${printable(line)}\n`);

/** What the scenes work with; `expect` counts the results that are not as announced. */
class Stage {
  readonly surprises: string[] = [];
  readonly clients: Record<'order' | 'inventory' | 'payment' | 'sandbox', ApiClient>;

  constructor(readonly system: System) {
    const { urls } = system;
    this.clients = {
      order: new ApiClient(urls.order, DEVELOPMENT_KEY),
      inventory: new ApiClient(urls.inventory, DEVELOPMENT_KEY),
      payment: new ApiClient(urls.payment, DEVELOPMENT_KEY),
      sandbox: new ApiClient(urls.sandbox),
    };
  }

  place(sku: string, quantity: number, source: string, key: string = randomUUID()): Promise<ApiResponse<Order>> {
    const body = { customerId: 'alice', items: [{ sku, quantity }], payment: { source } };
    return this.clients.order.post<Order>('/orders', body, key);
  }

  /** Waits until the order is settled, prints its story and checks its end. */
  async tell(id: string, status: string, reason?: string): Promise<void> {
    const { order } = this.clients;
    const settled = await order.get<Order>(`/orders/${id}`, { prefer: 'wait=30' });
    const saga = await order.get<SagaStory>(`/orders/${id}/saga`);
    print(`  order ${id}: ${settled.body.status}${settled.body.reason ? ` (${settled.body.reason})` : ''}`);
    for (const line of timelineOf(saga.body)) print(`  ${line}`);
    this.expect(settled.body.status === status, `the order should be ${status}`);
    this.expect(settled.body.reason === reason, `the reason should be ${reason ?? 'none'}`);
  }

  expect(truth: boolean, otherwise: string): void {
    if (truth) return;
    this.surprises.push(otherwise);
    print(`  SURPRISE: ${otherwise}`);
  }
}

const scenes: Scene[] = [
  {
    title: 'A good order: reserve, charge, confirm',
    play: async (stage) => stage.tell((await stage.place('cup', 2, 'tok_ok')).body.id, 'confirmed'),
  },
  {
    title: 'A declined card: what was reserved is released',
    play: async (stage) =>
      stage.tell((await stage.place('beans', 1, 'tok_declined')).body.id, 'cancelled', 'payment_declined'),
  },
  {
    title: 'Sold out: nothing is charged',
    play: async (stage) => stage.tell((await stage.place('unicorn', 1, 'tok_ok')).body.id, 'cancelled', 'out_of_stock'),
  },
  {
    title: 'The same request twice: one order, one answer',
    play: async (stage) => {
      const key = randomUUID();
      const first = await stage.place('cup', 1, 'tok_ok', key);
      const again = await stage.place('cup', 1, 'tok_ok', key);
      print(`  first:  ${first.status} ${first.body.id}`);
      print(
        `  again:  ${again.status} ${again.body.id}, Idempotent-Replayed: ${again.headers.get('idempotent-replayed')}`,
      );
      stage.expect(again.text === first.text, 'the second answer should be the first one, byte for byte');
      stage.expect(
        again.headers.get('idempotent-replayed') === 'true',
        'the second answer should say that it is a replay',
      );
      await stage.tell(first.body.id, 'confirmed');
    },
  },
  {
    title: 'The same key for another request: refused',
    play: async (stage) => {
      const key = randomUUID();
      const first = await stage.place('cup', 1, 'tok_ok', key);
      const other = await stage.place('cup', 7, 'tok_ok', key);
      print(`  other:  ${other.status} ${other.body.code}`);
      stage.expect(
        other.status === 409 && other.body.code === 'idempotency_key_reused',
        'it should be refused with 409',
      );
      await stage.tell(first.body.id, 'confirmed');
    },
  },
  {
    title: 'Cancelled after it was confirmed: refunded and put back',
    play: async (stage) => {
      const { order } = stage.clients;
      const { id } = (await stage.place('grinder', 1, 'tok_ok')).body;
      await order.get(`/orders/${id}`, { prefer: 'wait=30' });
      const deleted = await order.send('DELETE', `/orders/${id}`);
      const repeated = await order.send('DELETE', `/orders/${id}`);
      print(`  DELETE: ${deleted.status}, and again: ${repeated.status}`);
      await stage.tell(id, 'cancelled', 'cancelled_by_client');
    },
  },
  {
    title: 'Charged, but the answer was lost: asked again with the same key, charged once',
    play: async (stage) => stage.tell((await stage.place('beans', 1, 'tok_timeout_once')).body.id, 'confirmed'),
  },
  {
    title: 'The payment service is killed while it charges, and comes back',
    play: async (stage) => {
      const { payment } = stage.system.services;
      const { id } = (await stage.place('cup', 3, 'tok_slow')).body;
      // The provider takes two seconds for this one, so the kill falls into the call.
      await new Promise((resolve) => setTimeout(resolve, 700));
      await payment.kill('SIGKILL');
      print('  payment service killed');
      await payment.start();
      print('  payment service started again');
      await stage.tell(id, 'confirmed');
    },
  },
];

void main();

async function main(): Promise<void> {
  let system: System | undefined;
  let stopped = false;
  const stop = async (code: number): Promise<never> => {
    if (!stopped) await system?.stop();
    stopped = true;
    process.exit(code);
  };
  stopInOrder(() => void stop(130));
  try {
    system = await startSystem({
      ports: 'free',
      output: () => undefined,
      logFormat: 'json',
      say: (text) => print(text),
    });
    const stage = new Stage(system);
    await seed(stage.clients.order, stage.clients.inventory);
    for (const { title, play } of scenes) {
      print();
      print(title);
      await play(stage);
    }
    const faults = await settleBooks(stage);
    await stop(faults.length + stage.surprises.length === 0 ? 0 : 1);
  } catch (error) {
    const text = error instanceof StackError ? error.message : (error as Error).stack!;
    process.stderr.write(`${printableLines(text)}\n`);
    await stop(1);
  }
}

async function settleBooks({ clients }: Stage): Promise<string[]> {
  const initialStock = Object.fromEntries(catalogue.map(({ sku, onHand }) => [sku, onHand]));
  // What was restocked after a cancelled order counts as never sold.
  const report = await auditBooks({ ...clients, initialStock });
  print();
  print(`The books: ${report.orders} orders, ${report.confirmed} confirmed, ${report.cancelled} cancelled.`);
  for (const fault of report.faults) print(`  WRONG: ${fault}`);
  if (report.faults.length === 0)
    print('  Stock, payments, orders and the provider agree: nothing lost, nothing doubled.');
  return report.faults;
}

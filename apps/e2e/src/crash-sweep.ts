/** Runs the stories while processes die where the plan says, starts the processes again at once, and checks the result. */
import {
  type ApiResponse,
  inParallel,
  type SagaStory,
  seed,
  type SeedProduct,
  type ServiceName,
  serviceNames,
  timelineOf,
} from '@shop/system';
import { eventually } from '@shop/testing';
import { AfterOrder } from './after-order';
import { type Arm, CrashPlan, instantsOf, type Mortal, mortals } from './crash-plan';
import { CUSTOMER, END_TIMEOUT_MS, post, stories, type Story, untilOrder } from './crash-stories';
import { untilIdle } from './idle-broker';
import { type Order, Shop } from './shop';

export interface Target {
  story: Story;
  service: Mortal;
  instant: string;
  passes: number[];
}

interface Payment {
  id: string;
  orderId: string;
  amount: number;
  status: string;
  refunded: number;
}

/** One order, and the death during it; `target` is undefined when no process dies. */
interface Run {
  story: Story;
  target?: Target;
  arms: Arm[];
  sku: string;
  key: string;
  posted: ApiResponse<Order>;
  ended: Promise<string[]>;
}

const ON_HAND = 10;
const PRICE = 1_000;
const DEATH_TIMEOUT_MS = 30_000;
const READY_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 60_000;
const WIDTH = 8;

export class CrashSweep {
  private readonly runs: Run[] = [];
  private readonly faults: string[] = [];
  private readonly deaths = Object.fromEntries(serviceNames.map((name) => [name, 0])) as Record<ServiceName, number>;
  private shop!: Shop;

  private constructor(
    private readonly plan: CrashPlan,
    private readonly products: SeedProduct[],
  ) {}

  static async open(): Promise<CrashSweep> {
    const sweep = new CrashSweep(new CrashPlan(), []);
    sweep.shop = await Shop.open(sweep.products, {
      ...sweep.plan.options,
      logLevel: 'warn',
      onCrash: (name, how) => {
        if (name !== 'console') sweep.revive(name, how);
      },
    });
    await new AfterOrder(sweep.shop).introduce(CUSTOMER);
    return sweep;
  }

  async close(): Promise<void> {
    await this.shop?.close();
    this.plan.remove();
  }

  get deathCount(): number {
    return Object.values(this.deaths).reduce((sum, deaths) => sum + deaths, 0);
  }

  /** Runs each story once without a death, and returns every pass of every instant as a target of its own. */
  async learn(): Promise<Target[]> {
    await this.stock(stories.length);
    const targets: Target[] = [];
    for (const story of stories) {
      const places = mortals.flatMap((service) =>
        instantsOf[service].map((instant) => ({ service, instant, passes: [] })),
      );
      const run = await this.tell(story, places);
      await run.ended;
      // What follows an order comes behind its end.
      await this.shop.books();
      await untilIdle(this.shop.system.stack.natsUrl, IDLE_TIMEOUT_MS);
      for (const arm of run.arms) {
        const { service, instant } = arm;
        for (let pass = 1; pass <= this.plan.passesOf(arm); pass++) {
          targets.push({ story, service, instant, passes: [pass] });
        }
      }
    }
    return targets;
  }

  /** Kills at one target after the other. The consequences of each, with the restart, overlap with the next one. */
  async strikeAll(targets: readonly Target[]): Promise<void> {
    const unused = this.products.length - this.runs.length;
    await this.stock(targets.length - unused);
    for (const target of inTurns(targets)) await this.strike(target);
  }

  /** Returns when the client has its answers and the process has died. */
  private async strike(target: Target): Promise<void> {
    const { service, passes } = target;
    const before = this.deaths[service];
    const run = await this.tell(target.story, [target], target);
    try {
      await eventually(
        () => {
          expect(this.plan.passesOf(run.arms[0]!)).toBeGreaterThanOrEqual(passes[0]!);
          expect(this.deaths[service]).toBeGreaterThan(before);
        },
        { timeoutMs: DEATH_TIMEOUT_MS },
      );
    } catch {
      this.faults.push(`${nameOf(target)}: the process has not died there`);
    }
  }

  /** Waits until all orders have ended, and returns everything that is wrong, one text for each. */
  async verdict(): Promise<string[]> {
    await Promise.all(this.runs.map(({ ended }) => ended));
    await this.untilReady();
    await untilIdle(this.shop.system.stack.natsUrl, IDLE_TIMEOUT_MS);
    const payments = await this.shop.payment.all<Payment>('/payments');
    const books = await this.shop.books();
    const stray = books.orders === this.runs.length ? [] : [`${books.orders} orders from ${this.runs.length} keys`];
    const unclaimed = new Set(books.faults);
    const ofRuns: string[] = [];
    await inParallel(this.runs, WIDTH, async (run) => {
      const own = payments.filter(({ orderId }) => orderId === run.posted.body.id);
      const names = [run.posted.body.id, `${run.sku}:`, ...own.map(({ id }) => id)];
      const inBooks = books.faults.filter((fault) => names.some((name) => fault.includes(name)));
      inBooks.forEach((fault) => unclaimed.delete(fault));
      const faults = [...(await run.ended), ...(await this.faultsOf(run, own)), ...inBooks];
      if (faults.length > 0) ofRuns.push(await this.report(run, faults));
    });
    return [...this.faults, ...stray, ...unclaimed, ...ofRuns];
  }

  private async tell(story: Story, places: readonly Omit<Target, 'story'>[], target?: Target): Promise<Run> {
    const { sku } = this.products[this.runs.length]!;
    const { shop, plan } = this;
    const key = `key-of-${sku}`;
    let arms: Arm[] = [];
    const begin = () => {
      plan.closeAll();
      arms = plan.add(places);
    };
    const posted = await story.tell({ shop, sku, key, source: story.source, begin });
    // An order that was not accepted has no end to wait for.
    const ended = posted.status !== 201 ? Promise.resolve([]) : this.ended(story, posted.body.id);
    const run = { story, target, arms, sku, key, posted, ended };
    this.runs.push(run);
    return run;
  }

  private ended(story: Story, id: string): Promise<string[]> {
    return untilOrder(this.shop, id, story.end).then(
      () => [],
      () => [`it has not come to its end in ${END_TIMEOUT_MS / 1_000} s`],
    );
  }

  /** Makes so many more products, each for one order. */
  private async stock(count: number): Promise<void> {
    const products = Array.from({ length: Math.max(0, count) }, (_, index) => {
      const sku = `sweep-${this.products.length + index}`;
      return { sku, name: sku, price: PRICE, onHand: ON_HAND };
    });
    await inParallel(products, WIDTH, (product) => seed(this.shop.order, this.shop.inventory, [product]));
    this.products.push(...products);
  }

  private async untilReady(): Promise<void> {
    for (const { url } of this.shop.system.processes) {
      await eventually(async () => expect((await fetch(`${url}/health/ready`)).ok).toBe(true), {
        timeoutMs: READY_TIMEOUT_MS,
      });
    }
  }

  private async faultsOf({ story, posted, sku, key }: Run, payments: Payment[]): Promise<string[]> {
    const { body: saga } = await this.sagaOf(posted);
    const again = await post({ shop: this.shop, sku, key, source: story.source });
    const found: [what: string, is: unknown, expected: unknown][] = [
      ['its repeat is answered', [again.status, again.text], [201, posted.text]],
      ['its sagas are', [saga.status, saga.cancelledBy?.status], story.sagas],
      ['its payments are', payments.map(({ status, refunded }) => [status, refunded > 0]), [story.payment]],
    ];
    return found
      .map(([what, ...pair]) => [what, ...pair.map((value) => JSON.stringify(value))])
      .flatMap(([what, is, expected]) => (is === expected ? [] : [`${what} ${is}, expected ${expected}`]));
  }

  private async report({ story, target, posted }: Run, faults: string[]): Promise<string> {
    const title = target ? nameOf(target) : `the ${story.name} order that nobody dies in`;
    const { status, body } = await this.sagaOf(posted);
    return [`${title}:`, ...faults, ...(status === 200 ? timelineOf(body) : ['it has no saga'])].join('\n  ');
  }

  private sagaOf({ body: { id } }: ApiResponse<Order>): Promise<ApiResponse<SagaStory>> {
    return this.shop.order.get<SagaStory>(`/orders/${id}/saga`);
  }

  private revive(name: ServiceName, how: string): void {
    if (how !== 'SIGKILL') {
      this.faults.push(`${name} ended by itself: ${how}`);
      return;
    }
    this.deaths[name]++;
    // If it is killed again before it is ready, the next start follows.
    void this.shop.system.services[name].start().catch(() => undefined);
  }
}

/** Mixes the targets of the services, so that one service starts again while another one dies. */
function inTurns(targets: readonly Target[]): Target[] {
  const placed = mortals.flatMap((service) => {
    const own = targets.filter((target) => target.service === service);
    return own.map((target, index) => ({ target, place: (index + 0.5) / own.length }));
  });
  return placed.sort((a, b) => a.place - b.place).map(({ target }) => target);
}

export function nameOf({ story, service, instant, passes }: Target): string {
  return `${service} ${instant} pass ${passes.join(' and ')} of the ${story.name} order`;
}

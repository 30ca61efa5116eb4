/**
 * Sees to what follows from an event: points, mails and deliveries. Every replica does so, each for other orders.
 *
 * An order is taken for the time of a lease. What is not known of it is read from the order service, outside of any
 * transaction. Then one transaction locks it, decides from what is known by then, and writes all that follows. Each effect
 * has a natural key, so whoever does it again, after a crash or a late lease, changes nothing.
 */
import { counter, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { DueTimer } from '@shop/resilience';
import type { Neighbour } from '@shop/service';
import { takeOnDeliveries } from '../deliveries/take-on';
import { queueNotifications } from '../notifications/queue';
import { earnPoints, takeBackPoints } from '../points/points.repository';
import { effectOfRefund, effectsOf, type OrderContent } from './effects';
import {
  findOpenRefunds,
  finish,
  type KnownOrder,
  lockOrders,
  msUntilDue,
  type OrderKey,
  orderKey,
  putOff,
  takeDue,
  wakeRefunds,
} from './heard-orders.repository';
import { MAX_IDS, readOrders } from './read-orders';

/** As many as the order service tells of at once. */
const BATCH = MAX_IDS;
/** Longer than the reading of a batch takes. */
const LEASE_SECONDS = 30;
/** What other replicas have heard and not seen to is found after this time. */
const LOOK_EVERY_MS = 5_000;
const FIRST_PAUSE_SECONDS = 1;
/** The order service may be away for days. It is asked this often then. */
const LONGEST_PAUSE_SECONDS = 60;
/** An order that nobody knows does not become known later. */
const MAX_LOOKS_AT_UNKNOWN = 5;

const seenTo = counter('fulfilment_orders_total', 'Heard orders that were seen to, by what came of it', ['outcome']);

export class FollowUp {
  private readonly timer: DueTimer;

  constructor(
    private readonly database: Database,
    private readonly order: Pick<Neighbour, 'read'>,
    private readonly logger: Logger,
    /** Told after the commit that there may be something to send. Without it, whoever sends finds it within a second. */
    private readonly onWork: () => void = () => undefined,
  ) {
    this.timer = new DueTimer({
      job: () => this.seeToDue(),
      atMostMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'fulfilment.look.failed'),
    });
  }

  start(): void {
    this.timer.start();
  }

  stop(): Promise<void> {
    return this.timer.stop();
  }

  wake(): void {
    this.timer.expectIn(0);
  }

  /** Sees to one batch, and returns the time until there is more. */
  async seeToDue(): Promise<number> {
    const taken = await takeDue(this.database, BATCH, LEASE_SECONDS);
    for (const [tenant, orders] of byTenant(taken)) await this.seeTo(tenant, orders);
    if (taken.length === BATCH) return 0;
    // Rare, so it is enough to look for them when there is nothing else to do.
    if (taken.length === 0) await wakeRefunds(this.database);
    return msUntilDue(this.database, LOOK_EVERY_MS);
  }

  private async seeTo(tenant: string, orders: readonly KnownOrder[]): Promise<void> {
    const unread = orders.filter(({ content }) => !content);
    let read: ReadonlyMap<string, OrderContent>;
    try {
      read = unread.length > 0 ? await readOrders(this.order, tenant, unread.map(idOf)) : new Map();
    } catch (error) {
      seenTo.inc({ outcome: 'put_off' }, unread.length);
      this.logger.debug({ tenant, reason: (error as Error).message }, 'fulfilment.orders.put_off');
      await putOff(this.database, unread, pauseBefore(Math.min(...unread.map(({ attempts }) => attempts))));
      await this.write(
        orders.filter(({ content }) => content),
        new Map(),
      );
      return;
    }
    const unknown = unread.filter(({ orderId }) => !read.has(orderId));
    await this.write(
      orders.filter((order) => !unknown.includes(order)),
      read,
    );
    await this.giveUp(unknown);
  }

  private async write(orders: readonly KnownOrder[], read: ReadonlyMap<string, OrderContent>): Promise<void> {
    if (orders.length === 0) return;
    const contents = new Map(orders.map((order) => [orderKey(order), order.content ?? read.get(order.orderId)!]));
    const contentFor = (key: OrderKey): OrderContent => contents.get(orderKey(key))!;
    await this.database.transaction(async (tx) => {
      // As it is now: it may have been cancelled while it was read.
      const locked = [...(await lockOrders(tx, orders)).values()];
      const refunds = await findOpenRefunds(tx, locked);
      const effects = locked.map((order) => effectsOf(order, contentFor(order)));
      earnPoints(
        tx,
        effects.flatMap(({ earnings }) => earnings),
      );
      takeBackPoints(
        tx,
        effects.flatMap(({ takenBack }) => takenBack),
      );
      const traces = new Map(locked.map((order) => [orderKey(order), order.trace]));
      const told = refunds.flatMap((refund) =>
        effectOfRefund(refund, contentFor(refund), traces.get(orderKey(refund))),
      );
      queueNotifications(tx, [...effects.flatMap(({ notifications }) => notifications), ...told]);
      takeOnDeliveries(
        tx,
        effects.flatMap(({ deliveries }) => deliveries),
      );
      finish(
        tx,
        locked.map((order) => ({ ...order, content: contentFor(order) })),
        refunds,
      );
      tx.afterCommit(() => {
        seenTo.inc({ outcome: 'done' }, locked.length);
        this.onWork();
      });
    });
  }

  private async giveUp(unknown: readonly KnownOrder[]): Promise<void> {
    for (const { tenant, orderId, attempts } of unknown) {
      const isLast = attempts >= MAX_LOOKS_AT_UNKNOWN;
      await putOff(this.database, [{ tenant, orderId }], isLast ? null : pauseBefore(attempts));
      if (!isLast) continue;
      seenTo.inc({ outcome: 'unknown' });
      this.logger.error({ tenant, orderId }, 'fulfilment.order.unknown');
    }
  }
}

const idOf = ({ orderId }: OrderKey): string => orderId;

const pauseBefore = (attempts: number): number =>
  Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** Math.max(0, attempts - 1));

function byTenant(orders: readonly KnownOrder[]): Map<string, KnownOrder[]> {
  const groups = new Map<string, KnownOrder[]>();
  for (const order of orders) groups.set(order.tenant, [...(groups.get(order.tenant) ?? []), order]);
  return groups;
}

/**
 * Lets orders in while there is room for them, because what is taken has to be carried out: so many orders may be open
 * for each tenant, and so many in all. Who finds no room waits at the door for a while, and is then asked to come again.
 * Tenants are let in in turn.
 */
import { gauge } from '@shop/observability';
import { Problem } from '@shop/problem';
import { FairQueue } from '@shop/resilience';
import type { OpenSagas } from '@shop/saga';
import type { OrderEnvironment } from '../../environment';

export interface AdmissionLimits {
  /** The most open orders of a tenant, over all replicas. */
  perTenant: number;
  /** The most open orders of all tenants, over all replicas. */
  inAll: number;
  /**
   * While several tenants place orders: the most orders of this replica that wait for their first reply. More would make
   * every batch on the way of an order larger, and so every order slower.
   */
  begun: number;
  /** The most requests of a tenant that wait at the door of this replica. */
  waiting: number;
  /** The longest wait at the door. */
  waitMs: number;
}

/** More are not on their way at once in a replica that has nothing else to do. */
const BEGUN = 14;
/** As many as wait in a lane. */
const WAITING = 2_000;
/** A client should get an answer within ten seconds, and the lane behind the door takes some of them. */
const WAIT_MS = 5_000;

export const admissionLimits = (given: OrderEnvironment): AdmissionLimits => ({
  perTenant: given.MAX_OPEN_ORDERS_PER_TENANT,
  inAll: given.MAX_OPEN_ORDERS,
  begun: BEGUN,
  waiting: WAITING,
  waitMs: WAIT_MS,
});

interface Waiting {
  tenant: string;
  since: number;
  enter: () => void;
  refuse: (problem: Problem) => void;
}

const LOOK_FOR_OVERDUE_MS = 250;
/** A tenant that placed its last order so long ago is no neighbour any more. */
const SHARED_FOR_MS = 10_000;
const RETRY_AFTER = { headers: { 'retry-after': '1' } };

const atTheDoor = gauge('order_requests_at_the_door', 'Requests that wait until one more order may be open');

export class Admission {
  private readonly waiting = new FairQueue<Waiting>();
  /** Let in, but not known to be open yet. */
  private readonly entering = new Map<string, number>();
  private enteringInAll = 0;
  /** When the last order of each tenant came, in the order of these times. */
  private readonly seen = new Map<string, number>();
  private overdue: NodeJS.Timeout | undefined;

  constructor(
    private readonly open: Pick<OpenSagas, 'of' | 'total' | 'begun' | 'onFewer'>,
    private readonly limits: AdmissionLimits,
  ) {
    open.onFewer(() => this.letIn());
  }

  /**
   * Does the work when there is room for one more order of the tenant.
   * @throws Problem 429 `too_many_open_orders` when the tenant has its share, 503 `overloaded` when there is no room
   */
  async run<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    await this.enter(tenant);
    try {
      return await work();
    } finally {
      this.count(tenant, -1);
      this.letIn();
    }
  }

  /** Whether an order of the tenant would have to wait now. */
  isFullFor(tenant: string): boolean {
    return this.waiting.sizeOf(tenant) > 0 || !this.hasRoom || !this.hasRoomFor(tenant);
  }

  private enter(tenant: string): Promise<void> | undefined {
    this.see(tenant);
    if (!this.isFullFor(tenant)) {
      this.count(tenant, 1);
      return undefined;
    }
    if (this.waiting.sizeOf(tenant) >= this.limits.waiting) return Promise.reject(this.refusal(tenant));
    return new Promise((enter, refuse) => {
      this.waiting.push(tenant, { tenant, since: performance.now(), enter, refuse });
      this.overdue ??= setInterval(() => this.refuseOverdue(), LOOK_FOR_OVERDUE_MS).unref();
      atTheDoor.set(this.waiting.size);
    });
  }

  private letIn(): void {
    if (this.waiting.size === 0) return;
    while (this.hasRoom) {
      const next = this.waiting.take((tenant) => this.hasRoomFor(tenant));
      if (!next) break;
      this.count(next.tenant, 1);
      next.enter();
    }
    this.afterLeaving();
  }

  private refuseOverdue(): void {
    const isOverdue = ({ since }: Waiting) => performance.now() - since > this.limits.waitMs;
    for (const { tenant, refuse } of this.waiting.takeFront(isOverdue)) refuse(this.refusal(tenant));
    this.afterLeaving();
  }

  private afterLeaving(): void {
    atTheDoor.set(this.waiting.size);
    if (this.waiting.size > 0) return;
    clearInterval(this.overdue);
    this.overdue = undefined;
  }

  private get hasRoom(): boolean {
    const { open, limits, enteringInAll } = this;
    if (open.total + enteringInAll >= limits.inAll) return false;
    return !this.isShared || open.begun + enteringInAll < limits.begun;
  }

  /** Whether orders of more than one tenant have come lately. */
  private get isShared(): boolean {
    for (const [tenant, at] of this.seen) {
      if (performance.now() - at < SHARED_FOR_MS) break;
      this.seen.delete(tenant);
    }
    return this.seen.size > 1;
  }

  /** The one who was seen longest ago stays in front. */
  private see(tenant: string): void {
    this.seen.delete(tenant);
    this.seen.set(tenant, performance.now());
  }

  private hasRoomFor(tenant: string): boolean {
    return this.open.of(tenant) + (this.entering.get(tenant) ?? 0) < this.limits.perTenant;
  }

  private count(tenant: string, more: 1 | -1): void {
    this.enteringInAll += more;
    const entering = (this.entering.get(tenant) ?? 0) + more;
    if (entering > 0) this.entering.set(tenant, entering);
    else this.entering.delete(tenant);
  }

  private refusal(tenant: string): Problem {
    if (this.hasRoomFor(tenant))
      return new Problem(503, 'overloaded', 'too many orders are being carried out; try again later', RETRY_AFTER);
    const detail = 'so many orders of yours are being carried out that one more would have to wait; try again later';
    return new Problem(429, 'too_many_open_orders', detail, RETRY_AFTER);
  }
}

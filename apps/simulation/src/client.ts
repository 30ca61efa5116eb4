/** A client that wants one order: it may reserve before, asks until it gets an answer, asks once more, and may cancel. */
import { randomUUID } from 'node:crypto';
import { type Claim, fingerprintOf } from '@shop/idempotency';
import type { WholeInventory } from '@shop/inventory/testing';
import { claimOfPut, type OrderReplica } from '@shop/order/testing';
import { newTraceparent } from '@shop/observability';
import { Asking } from './asking';
import { Calls } from './calls';
import type { Progresses } from './progress';
import { Reserver } from './reserver';
import type { Purchase } from './script';
import type { Line } from './shop';
import type { Process, Stage } from './stage';

/** One order service as a client reaches it. */
export interface Gateway {
  process: Process;
  orders: OrderReplica['orders'];
}

/** One inventory service as a client reaches it. */
export interface StockGateway {
  process: Process;
  inventory: WholeInventory;
}

export type Wish = 'posts' | 'deletes' | 'reserves' | 'gives back';

interface Body {
  customerId?: string;
  items?: Line[];
  cartId?: string;
  reservationId?: string;
  payment: { source: string };
}

const MOST_DELETES = 2;

export class Client {
  readonly calls: Calls;
  readonly order: Asking;
  readonly reserver?: Reserver;
  /** The other client whose reservation it orders with. */
  lender?: Client;
  orderId?: string;
  /** A DELETE was answered with 204. */
  cancelled = false;
  private deletes = 0;
  /** The id that the client chose. */
  private readonly ownId?: string;
  /** Decided with the first request, because each repeat has to be the same. */
  private asked?: { body: Body; claim: Claim };

  constructor(
    stage: Stage,
    private readonly tenant: string,
    readonly purchase: Purchase,
  ) {
    const { name, namesIt } = purchase;
    this.calls = new Calls(stage, name);
    this.ownId = namesIt ? randomUUID() : undefined;
    this.order = new Asking(stage, this.calls, 'POST', ({ id }) => (this.orderId = id));
    if (purchase.reserves) this.reserver = new Reserver(stage, this.calls, tenant, purchase);
  }

  get name(): string {
    return this.purchase.name;
  }

  get waits(): boolean {
    return this.calls.count > 0;
  }

  /** What it may do next in bad times. Who is patient changes its mind late: when somebody has paid, or when its own time has come. */
  wishes(isPaid: boolean, progresses: Progresses): Wish[] {
    if (this.calls.count > 1) return [];
    const { reserver, purchase } = this;
    const wishes: Wish[] = [];
    if (reserver?.request.mayAsk && !this.asked) wishes.push('reserves');
    if (this.order.mayAsk && this.isReady) wishes.push('posts');
    if (reserver?.mayGiveBack && this.asked) wishes.push('gives back');
    const isTime = purchase.impatient || (purchase.cancelsWhen ? this.isItsTime(progresses) : isPaid);
    if (purchase.cancels && isTime && this.orderId && this.deletes < MOST_DELETES) wishes.push('deletes');
    return wishes;
  }

  /** What it does next when nothing goes wrong. */
  get need(): Wish | undefined {
    if (this.waits || this.order.isAnswered) return undefined;
    return this.reserver && !this.reserver.request.isAnswered ? 'reserves' : 'posts';
  }

  /** Its time to cancel has come, and it has not done so yet. */
  isStillToCancel(progresses: Progresses): boolean {
    return this.purchase.cancels && this.deletes === 0 && this.isItsTime(progresses);
  }

  post({ process, orders }: Gateway): void {
    const { name, isOperator } = this.purchase;
    const { body, claim } = (this.asked ??= this.decide());
    const caller = { tenant: this.tenant, principal: name, roles: [isOperator ? 'operator' : 'customer'] } as never;
    const request = { claim, caller, body, id: this.ownId, traceparent: newTraceparent() };
    this.order.ask(process, () => orders.place(request));
  }

  delete({ process, orders }: Gateway): void {
    this.deletes++;
    const key = { tenant: this.tenant, id: this.orderId! };
    void this.calls
      .make(process, 'DELETE', () => orders.cancel(key).then(() => true))
      .then((done) => {
        this.cancelled ||= done === true;
      });
  }

  private isItsTime(progresses: Progresses): boolean {
    const { cancelsWhen } = this.purchase;
    return cancelsWhen !== undefined && this.orderId !== undefined && progresses.isAsFarAs(cancelsWhen, this.orderId);
  }

  /** The reservation that it orders with is known, or it does not care. */
  private get isReady(): boolean {
    const waitsFor = this.reserver ?? this.lender?.reserver;
    return !waitsFor || this.purchase.impatient || waitsFor.id !== undefined || waitsFor.request.isAnswered;
  }

  private decide(): { body: Body; claim: Claim } {
    const { name, customer, items, source, cart } = this.purchase;
    const reservationId = (this.reserver ?? this.lender?.reserver)?.id;
    const body: Body = {
      ...(cart ? { cartId: cart } : { customerId: customer, items }),
      payment: { source },
      ...(reservationId && { reservationId }),
    };
    const claim = this.ownId
      ? claimOfPut(this.tenant, this.ownId, body)
      : { scope: `${this.tenant}|${name}|POST /orders`, key: name, fingerprint: fingerprintOf(body) };
    return { body, claim };
  }
}

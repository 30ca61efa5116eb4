/** Hears that orders were confirmed or cancelled and that money went back, and notes it. What follows is done behind it. */
import { Inject, Injectable } from '@nestjs/common';
import { OrderCancelled, OrderConfirmed, PaymentRefunded } from '@shop/contracts';
import { type EventSet, type Heard, onEvent } from '@shop/participant';
import type { Tx } from '@shop/postgres';
import { isBefore, readBirth } from './birth';
import type { HeardRefund } from './effects';
import { FollowUp } from './follow-up';
import { hear, type HeardOrder, type OrderNews } from './hear';
import {
  isHeardElsewhere,
  type KnownOrder,
  lockOrders,
  type OrderKey,
  orderKey,
  saveHeard,
  saveRefunds,
} from './heard-orders.repository';

interface HeardState {
  birth: number;
  known: ReadonlyMap<string, KnownOrder>;
  /** The orders of which this batch has told something, by `orderKey`. */
  orders: Map<string, HeardOrder>;
  refunds: HeardRefund[];
}

@Injectable()
export class OrderEvents implements EventSet<HeardState> {
  readonly handlers = [
    onEvent(OrderConfirmed, (state: HeardState, { time, trace, body: { tenant, orderId, amount, currency } }) =>
      note(state, {
        kind: 'confirmed',
        tenant,
        orderId,
        amount,
        currency,
        earlier: isBefore(state.birth, time),
        trace,
      }),
    ),
    onEvent(OrderCancelled, (state: HeardState, { time, trace, body: { tenant, orderId, reason } }) =>
      note(state, { kind: 'cancelled', tenant, orderId, reason, earlier: isBefore(state.birth, time), trace }),
    ),
    onEvent(PaymentRefunded, (state: HeardState, { time, body: { tenant, orderId, refundId, amount, currency } }) => {
      // Money that belongs to no order went back to nobody whom we know.
      if (orderId === undefined || isBefore(state.birth, time)) return;
      state.refunds.push({ tenant, refundId, orderId, amount, currency });
      const known = state.orders.get(orderKey({ tenant, orderId })) ?? state.known.get(orderKey({ tenant, orderId }));
      // Saved again, it is due again. One that is not known yet is due when it becomes known.
      if (known) state.orders.set(orderKey(known), known);
    }),
  ];
  private birth?: number;

  constructor(@Inject(FollowUp) private readonly followUp: Pick<FollowUp, 'wake'>) {}

  async load(tx: Tx, events: readonly Heard[]): Promise<HeardState> {
    const keys = events.map(({ body }) => body as Partial<OrderKey>).filter(({ orderId }) => orderId !== undefined);
    const [birth, known] = await Promise.all([this.birth ?? readBirth(tx), lockOrders(tx, keys as OrderKey[])]);
    this.birth = birth;
    return { birth, known, orders: new Map(), refunds: [] };
  }

  save(tx: Tx, { known, orders, refunds }: HeardState): void {
    saveHeard(tx, [...orders.values()], known);
    saveRefunds(tx, refunds);
    tx.afterCommit(() => this.followUp.wake());
  }

  retryOn(error: unknown): boolean {
    return isHeardElsewhere(error);
  }
}

function note(state: HeardState, news: OrderNews): void {
  const key = orderKey(news);
  state.orders.set(key, hear(state.orders.get(key) ?? state.known.get(key), news));
}

/** What orders go through while processes die: three stories, each told by a client that repeats until it is answered. */
import type { ApiResponse } from '@shop/system';
import { eventually } from '@shop/testing';
import type { Order, Shop } from './shop';

export interface CrashOrder {
  shop: Shop;
  /** A product of its own, so that the books name the order. */
  sku: string;
  key: string;
  source: string;
  /** Called when the part of the story begins in which the process dies. */
  begin: () => void;
}

export interface Story {
  name: string;
  source: string;
  /** Answers what its POST was answered. */
  tell: (order: CrashOrder) => Promise<ApiResponse<Order>>;
  /** How the order ends, and its payment. */
  end: { status: string; reason?: string };
  payment: [status: string, refunded: boolean];
  /** Of the saga that places it, and of the one that cancels it. */
  sagas: (string | undefined)[];
}

/** Longer than any order takes to heal while the services go on dying: a lease, and deadlines that have grown. */
export const END_TIMEOUT_MS = 180_000;
const LOOK_MS = 250;
export const PIECES = 2;

export const stories: readonly Story[] = [
  {
    name: 'good',
    source: 'tok_ok',
    tell: (order) => {
      order.begin();
      return post(order);
    },
    end: { status: 'confirmed' },
    payment: ['succeeded', false],
    sagas: ['completed', undefined],
  },
  {
    name: 'declined',
    source: 'tok_declined',
    tell: (order) => {
      order.begin();
      return post(order);
    },
    end: { status: 'cancelled', reason: 'payment_declined' },
    payment: ['declined', false],
    sagas: ['compensated', undefined],
  },
  {
    name: 'cancelled',
    source: 'tok_ok',
    tell: async (order) => {
      const posted = await post(order);
      await untilOrder(order.shop, posted.body.id, { status: 'confirmed' });
      order.begin();
      await cancel(order.shop, posted.body.id);
      return posted;
    },
    end: { status: 'cancelled', reason: 'cancelled_by_client' },
    payment: ['succeeded', true],
    sagas: ['completed', 'completed'],
  },
];

/** The same request under the same key always. */
export function post({ shop, sku, key, source }: Omit<CrashOrder, 'begin'>): Promise<ApiResponse<Order>> {
  const body = { customerId: 'alice', items: [{ sku, quantity: PIECES }], payment: { source } };
  return shop.post({ key, body });
}

async function cancel(shop: Shop, id: string): Promise<void> {
  await eventually(async () => expect((await shop.order.send('DELETE', `/orders/${id}`)).status).toBe(204), {
    timeoutMs: END_TIMEOUT_MS,
    intervalMs: LOOK_MS,
  });
}

export async function untilOrder(shop: Shop, id: string, end: Story['end']): Promise<void> {
  await eventually(async () => expect((await shop.order.get(`/orders/${id}`)).body).toMatchObject(end), {
    timeoutMs: END_TIMEOUT_MS,
    intervalMs: LOOK_MS,
  });
}

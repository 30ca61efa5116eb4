/** What happens to orders while processes die: three stories. In each, a client repeats its request until it has an answer. */
import type { ApiResponse } from '@shop/system';
import { eventually } from '@shop/testing';
import { AfterOrder } from './after-order';
import type { Order, Shop } from './shop';

export interface CrashOrder {
  shop: Shop;
  /** A product of its own, so that the books name the order. */
  sku: string;
  key: string;
  source: string;
  /** Called at the beginning of the part in which the process dies. */
  begin: () => void;
}

export interface Story {
  name: string;
  source: string;
  /** Returns the answer to its POST. */
  tell: (order: CrashOrder) => Promise<ApiResponse<Order>>;
  /** How the order ends, and its payment. */
  end: { status: string; reason?: string };
  payment: [status: string, refunded: boolean];
  /** Of the saga that places the order, and of the saga that cancels it. */
  sagas: (string | undefined)[];
}

/** Longer than any order takes to end while services die: a lease, and deadlines that have grown. */
export const END_TIMEOUT_MS = 180_000;
const LOOK_MS = 250;
export const PIECES = 2;
/** Has an address, so that there are mails. */
export const CUSTOMER = 'alice';

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
      // Else it would depend on the time whether a parcel is stopped or brought back.
      await untilHandedOver(order.shop, posted.body.id);
      order.begin();
      await cancel(order.shop, posted.body.id);
      return posted;
    },
    end: { status: 'cancelled', reason: 'cancelled_by_client' },
    payment: ['succeeded', true],
    sagas: ['completed', 'completed'],
  },
];

/** Always the same request under the same key. */
export function post({ shop, sku, key, source }: Omit<CrashOrder, 'begin'>): Promise<ApiResponse<Order>> {
  const body = { customerId: CUSTOMER, items: [{ sku, quantity: PIECES }], payment: { source } };
  return shop.post({ key, body });
}

async function cancel(shop: Shop, id: string): Promise<void> {
  await eventually(async () => expect((await shop.order.send('DELETE', `/orders/${id}`)).status).toBe(204), {
    timeoutMs: END_TIMEOUT_MS,
    intervalMs: LOOK_MS,
  });
}

async function untilHandedOver(shop: Shop, id: string): Promise<void> {
  const after = new AfterOrder(shop);
  await eventually(async () => expect((await after.delivery(id))?.status).toBe('handed_over'), {
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

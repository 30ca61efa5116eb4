/** The mutating routes of products and orders. */
import { randomUUID } from 'node:crypto';
import type { Row } from './row';
import type { World } from './world';

const product = { name: 'The cup', unitPrice: { amount: 1_200, currency: 'EUR' } };
const orderOf = (customerId: string) => ({
  customerId,
  items: [{ sku: 'cup', quantity: 1 }],
  payment: { source: 'tok_ok' },
});

const placed = async (world: World): Promise<string> => {
  const { body } = await world.prepare('order', 'POST', '/orders', orderOf(world.name()));
  return body['id'] as string;
};

export const orderRows: Row[] = [
  {
    service: 'order',
    route: 'PUT /products/{sku}',
    when: 'which makes it',
    attempt: async (world) => {
      const sku = world.name();
      const done = () => world.number('order', 'select coalesce(sum(version), 0) from product where sku = $1', sku);
      return { path: `/products/${sku}`, body: product, done };
    },
  },
  {
    service: 'order',
    route: 'PUT /products/{sku}',
    when: 'which changes it',
    repeated: 412,
    attempt: async (world) => {
      const sku = world.name();
      const { etag } = await world.prepare('order', 'PUT', `/products/${sku}`, product);
      const done = () => world.number('order', 'select version - 1 from product where sku = $1', sku);
      const body = { ...product, name: 'The red cup' };
      return { path: `/products/${sku}`, body, headers: { 'if-match': etag! }, done };
    },
  },
  {
    service: 'order',
    route: 'POST /orders',
    attempt: async (world) => {
      const customer = world.name();
      const done = () => world.number('order', 'select count(*) from orders where customer_id = $1', customer);
      return { path: '/orders', body: orderOf(customer), done };
    },
  },
  {
    service: 'order',
    route: 'PUT /orders/{id}',
    // Its saga goes on.
    moving: ['status', 'confirmedAt', 'updatedAt', 'version'],
    attempt: async (world) => {
      const id = randomUUID();
      const done = () => world.number('order', `select count(*) from saga where data->>'orderId' = $1`, id);
      return { path: `/orders/${id}`, body: orderOf(world.name()), done };
    },
  },
  {
    service: 'order',
    route: 'DELETE /orders/{id}',
    when: 'of one that is confirmed',
    attempt: async (world) => {
      const id = await placed(world);
      await world.shop.settled(id);
      // A second saga gives it all back.
      const done = () => world.number('order', `select count(*) - 1 from saga where data->>'orderId' = $1`, id);
      return { path: `/orders/${id}`, done };
    },
  },
];

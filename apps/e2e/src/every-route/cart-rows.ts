/** The mutating routes of carts, of promotions on them, and of orders that are made of carts. */
import { randomUUID } from 'node:crypto';
import { promotion } from './promotion-rows';
import type { Row } from './row';
import type { World } from './world';

/** Nobody else takes pieces of it, so a cart looks the same from one moment to the next. */
const ITEMS = [{ sku: 'grinder', quantity: 2 }];

const filled = async (world: World): Promise<{ id: string; path: string; etag: string }> => {
  const id = world.name();
  const path = `/carts/${id}`;
  const { etag } = await world.prepare('order', 'PUT', path, { customerId: 'alice', items: ITEMS });
  return { id, path, etag: etag! };
};

/** How often a cart has changed behind this version; no cart is version 0. */
const changes = (world: World, id: string, since: number) => async () =>
  (await world.number('order', 'select coalesce(sum(version), 0) from cart where id = $1', id)) - since;

export const cartRows: Row[] = [
  {
    service: 'order',
    route: 'PUT /carts/{id}',
    when: 'which makes it',
    attempt: async (world) => {
      const id = world.name();
      return { path: `/carts/${id}`, body: { customerId: 'alice', items: ITEMS }, done: changes(world, id, 0) };
    },
  },
  {
    service: 'order',
    route: 'PUT /carts/{id}',
    when: 'which changes it',
    repeated: 412,
    attempt: async (world) => {
      const { id, path, etag } = await filled(world);
      const body = { customerId: 'alice', items: [] };
      return { path, body, headers: { 'if-match': etag }, done: changes(world, id, 1) };
    },
  },
  {
    service: 'order',
    route: 'PATCH /carts/{id}',
    repeated: 412,
    attempt: async (world) => {
      const { id, path, etag } = await filled(world);
      const headers = { 'if-match': etag, 'content-type': 'application/merge-patch+json' };
      return { path, body: { items: [{ sku: 'grinder', quantity: 1 }] }, headers, done: changes(world, id, 1) };
    },
  },
  {
    service: 'order',
    route: 'DELETE /carts/{id}',
    attempt: async (world) => {
      const { id, path } = await filled(world);
      const gone = 'select count(*) from cart where id = $1 and deleted_at is not null';
      return { path, done: () => world.number('order', gone, id) };
    },
  },
  {
    service: 'order',
    route: 'PUT /carts/{id}/promotions/{code}',
    attempt: async (world) => {
      const [{ id, path }, code] = [await filled(world), await promotion(world)];
      return { path: `${path}/promotions/${code}`, done: changes(world, id, 1) };
    },
  },
  {
    service: 'order',
    route: 'DELETE /carts/{id}/promotions/{code}',
    attempt: async (world) => {
      const [{ id, path }, code] = [await filled(world), await promotion(world)];
      await world.prepare('order', 'PUT', `${path}/promotions/${code}`);
      return { path: `${path}/promotions/${code}`, done: changes(world, id, 2) };
    },
  },
  {
    service: 'order',
    route: 'POST /orders',
    when: 'of a cart with a promotion',
    attempt: async (world) => {
      const [{ id, path }, code] = [await filled(world), await promotion(world)];
      await world.prepare('order', 'PUT', `${path}/promotions/${code}`);
      const uses = () => world.number('order', 'select used from promotion where code = $1', code);
      return { path: '/orders', body: { cartId: id, payment: { source: 'tok_ok' } }, done: uses };
    },
  },
  {
    service: 'order',
    route: 'PUT /orders/{id}',
    when: 'of a cart with a promotion',
    moving: ['status', 'confirmedAt', 'updatedAt', 'version'],
    attempt: async (world) => {
      const [{ id, path }, code] = [await filled(world), await promotion(world)];
      await world.prepare('order', 'PUT', `${path}/promotions/${code}`);
      const uses = () => world.number('order', 'select used from promotion where code = $1', code);
      return { path: `/orders/${randomUUID()}`, body: { cartId: id, payment: { source: 'tok_ok' } }, done: uses };
    },
  },
];

/** The mutating routes of reservations. */
import { randomUUID } from 'node:crypto';
import type { Row } from './row';
import type { World } from './world';

const stocked = async (world: World): Promise<string> => {
  const sku = world.name();
  await world.prepare('inventory', 'PUT', `/stock/${sku}`, { onHand: 10 });
  return sku;
};

/** As often as two pieces are held. */
const held = (world: World, sku: string) => () =>
  world.number('inventory', 'select reserved / 2.0 from stock where sku = $1', sku);

export const reservationRows: Row[] = [
  {
    service: 'inventory',
    route: 'POST /reservations',
    attempt: async (world) => {
      const sku = await stocked(world);
      return { path: '/reservations', body: { lines: [{ sku, quantity: 2 }] }, done: held(world, sku) };
    },
  },
  {
    service: 'inventory',
    route: 'PUT /reservations/{id}',
    attempt: async (world) => {
      const sku = await stocked(world);
      const body = { lines: [{ sku, quantity: 2 }], ttlSeconds: 600, customerId: 'alice' };
      return { path: `/reservations/${randomUUID()}`, body, done: held(world, sku) };
    },
  },
  {
    service: 'inventory',
    route: 'DELETE /reservations/{id}',
    attempt: async (world) => {
      const sku = await stocked(world);
      const path = `/reservations/${randomUUID()}`;
      await world.prepare('inventory', 'PUT', path, { lines: [{ sku, quantity: 2 }] });
      const isHeld = held(world, sku);
      return { path, done: async () => 1 - (await isHeld()) };
    },
  },
];

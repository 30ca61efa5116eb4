/** The mutating routes of stock. */
import type { Row } from './row';
import type { World } from './world';

const MOVEMENTS = 'select count(*) from stock_movement where sku = $1';

const stocked = async (world: World): Promise<{ sku: string; etag: string }> => {
  const sku = world.name();
  const { etag } = await world.prepare('inventory', 'PUT', `/stock/${sku}`, { onHand: 10 });
  return { sku, etag: etag! };
};

export const inventoryRows: Row[] = [
  {
    service: 'inventory',
    route: 'PUT /stock/{sku}',
    when: 'which makes it',
    attempt: async (world) => {
      const sku = world.name();
      return { path: `/stock/${sku}`, body: { onHand: 10 }, done: () => world.number('inventory', MOVEMENTS, sku) };
    },
  },
  {
    service: 'inventory',
    route: 'PUT /stock/{sku}',
    when: 'which makes it if there is none',
    repeated: 412,
    attempt: async (world) => {
      const sku = world.name();
      const done = () => world.number('inventory', MOVEMENTS, sku);
      return { path: `/stock/${sku}`, body: { onHand: 10 }, headers: { 'if-none-match': '*' }, done };
    },
  },
  {
    service: 'inventory',
    route: 'PUT /stock/{sku}',
    when: 'which counts it',
    repeated: 412,
    attempt: async (world) => {
      const { sku, etag } = await stocked(world);
      const done = async () => (await world.number('inventory', MOVEMENTS, sku)) - 1;
      return { path: `/stock/${sku}`, body: { onHand: 7 }, headers: { 'if-match': etag }, done };
    },
  },
  {
    service: 'inventory',
    route: 'POST /stock/{sku}/adjustments',
    attempt: async (world) => {
      const { sku } = await stocked(world);
      // As often as three pieces have left.
      const done = () => world.number('inventory', 'select (10 - on_hand) / 3.0 from stock where sku = $1', sku);
      return { path: `/stock/${sku}/adjustments`, body: { delta: -3, reason: 'broken' }, done };
    },
  },
];

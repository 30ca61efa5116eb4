/** The mutating routes of what stands around the stock of a SKU: its policy, its places, bundles, and repairs. */
import type { Row } from './row';
import type { World } from './world';

const stocked = async (world: World): Promise<string> => {
  const sku = world.name();
  await world.prepare('inventory', 'PUT', `/stock/${sku}`, { onHand: 10 });
  return sku;
};

const etagOf = async (world: World, sku: string): Promise<string> =>
  (await world.send('inventory', 'GET', { path: `/stock/${sku}` })).etag!;

/** How often the row of a SKU has changed since it was made. */
const changes = (world: World, sku: string) => () =>
  world.number('inventory', 'select version - 1 from stock where sku = $1', sku);

export const shelfRows: Row[] = [
  {
    service: 'inventory',
    route: 'PUT /stock/{sku}/policy',
    repeated: 412,
    attempt: async (world) => {
      const sku = await stocked(world);
      const headers = { 'if-match': await etagOf(world, sku) };
      const body = { backorderLimit: 5, customerLimit: 2 };
      return { path: `/stock/${sku}/policy`, body, headers, done: changes(world, sku) };
    },
  },
  {
    service: 'inventory',
    route: 'PUT /stock/{sku}/locations/{location}',
    repeated: 412,
    attempt: async (world) => {
      const sku = await stocked(world);
      const headers = { 'if-match': await etagOf(world, sku) };
      const done = async () =>
        (await world.number('inventory', 'select on_hand - 10 from stock where sku = $1', sku)) / 4;
      return { path: `/stock/${sku}/locations/north`, body: { onHand: 4 }, headers, done };
    },
  },
  {
    service: 'inventory',
    route: 'PUT /bundles/{sku}',
    attempt: async (world) => {
      const [part, sku] = [await stocked(world), world.name()];
      const done = () => world.number('inventory', 'select count(components) from stock where sku = $1', sku);
      return { path: `/bundles/${sku}`, body: { components: [{ sku: part, quantity: 2 }] }, done };
    },
  },
  {
    service: 'inventory',
    route: 'DELETE /bundles/{sku}',
    attempt: async (world) => {
      const [part, sku] = [await stocked(world), world.name()];
      await world.prepare('inventory', 'PUT', `/bundles/${sku}`, { components: [{ sku: part, quantity: 2 }] });
      const left = () => world.number('inventory', 'select count(components) from stock where sku = $1', sku);
      return { path: `/bundles/${sku}`, done: async () => 1 - (await left()) };
    },
  },
  {
    service: 'inventory',
    route: 'POST /stock/{sku}/repairs',
    attempt: async (world) => {
      const sku = await stocked(world);
      const done = () => world.number('inventory', 'select count(*) from stock_repair where sku = $1', sku);
      return { path: `/stock/${sku}/repairs`, body: { reason: 'counted by hand' }, done };
    },
  },
];

/** The mutating routes of promotions. */
import type { Row } from './row';
import type { World } from './world';

const TENTH = { kind: 'percent', percent: 10 };

/** The code of one that takes off ten per cent. */
export const promotion = async (world: World, more: object = {}): Promise<string> => {
  const code = world.name().toUpperCase();
  await world.prepare('order', 'PUT', `/promotions/${code}`, { ...TENTH, ...more });
  return code;
};

export const promotionRows: Row[] = [
  {
    service: 'order',
    route: 'PUT /promotions/{code}',
    when: 'which makes it',
    attempt: async (world) => {
      const code = world.name().toUpperCase();
      const done = () => world.number('order', 'select coalesce(sum(version), 0) from promotion where code = $1', code);
      return { path: `/promotions/${code}`, body: TENTH, done };
    },
  },
  {
    service: 'order',
    route: 'PUT /promotions/{code}',
    when: 'which changes it',
    repeated: 412,
    attempt: async (world) => {
      const code = await promotion(world);
      const path = `/promotions/${code}`;
      const { etag } = await world.send('order', 'GET', { path });
      const done = () => world.number('order', 'select version - 1 from promotion where code = $1', code);
      return { path, body: { ...TENTH, percent: 20 }, headers: { 'if-match': etag! }, done };
    },
  },
  {
    service: 'order',
    route: 'DELETE /promotions/{code}',
    attempt: async (world) => {
      const code = await promotion(world);
      const left = () =>
        world.number('order', 'select count(*) from promotion where code = $1 and deleted_at is null', code);
      return { path: `/promotions/${code}`, done: async () => 1 - (await left()) };
    },
  },
];

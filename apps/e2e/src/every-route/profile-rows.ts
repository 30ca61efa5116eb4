/** The mutating routes of customers' profiles. */
import type { Row } from './row';
import type { World } from './world';

const ALICE = { displayName: 'Alice', email: 'alice@example.org', locale: 'en' };

const known = async (world: World): Promise<{ id: string; path: string; etag: string }> => {
  const id = world.name();
  const { etag } = await world.prepare('order', 'PUT', `/profiles/${id}`, ALICE);
  return { id, path: `/profiles/${id}`, etag: etag! };
};

const changes = (world: World, id: string, since: number) => async () =>
  (await world.number('order', 'select coalesce(sum(version), 0) from profile where id = $1', id)) - since;

export const profileRows: Row[] = [
  {
    service: 'order',
    route: 'PUT /profiles/{id}',
    when: 'which makes it',
    attempt: async (world) => {
      const id = world.name();
      return { path: `/profiles/${id}`, body: ALICE, done: changes(world, id, 0) };
    },
  },
  {
    service: 'order',
    route: 'PUT /profiles/{id}',
    when: 'which changes it',
    repeated: 412,
    attempt: async (world) => {
      const { id, path, etag } = await known(world);
      const body = { ...ALICE, displayName: 'Alice B.' };
      return { path, body, headers: { 'if-match': etag }, done: changes(world, id, 1) };
    },
  },
  {
    service: 'order',
    route: 'PATCH /profiles/{id}',
    repeated: 412,
    attempt: async (world) => {
      const { id, path, etag } = await known(world);
      const headers = { 'if-match': etag, 'content-type': 'application/merge-patch+json' };
      return { path, body: { displayName: 'Alice B.' }, headers, done: changes(world, id, 1) };
    },
  },
  {
    service: 'order',
    route: 'DELETE /profiles/{id}',
    attempt: async (world) => {
      const { id, path } = await known(world);
      const left = () => world.number('order', 'select count(*) from profile where id = $1', id);
      return { path, done: async () => 1 - (await left()) };
    },
  },
];

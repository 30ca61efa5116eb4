/** The memory of live keys: what it costs, and what it says when it cannot know. */
import { hash } from 'node:crypto';
import { Problem } from '@shop/problem';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { eventually } from '@shop/testing';
import { StoredKeys } from './stored-keys';

const silent = { warn: () => undefined, info: () => undefined } as unknown as Logger;
const NOW_MS = Date.UTC(2030, 0, 1);

/** The table as the statement reads it, and how often it was asked. */
const table = { changes: 0, keys: [] as object[], isAway: false };
let queries: number;
const database = {
  query: async (_: unknown, [changes]: [unknown]) => {
    queries++;
    if (table.isAway) throw new Error('out of luck');
    // The use of keys is noted with lists.
    if (typeof changes !== 'number') return [];
    return [{ changes: table.changes, nowMs: NOW_MS, keys: changes === table.changes ? null : table.keys }];
  },
} as unknown as Database;

const credential = (text: string) => ({ text, sha256: hash('sha256', text) });
const keyOf = (text: string, expiresAtMs: number | null = null) => ({
  tenant: 'acme',
  id: text,
  sha256: credential(text).sha256,
  principal: 'alice',
  roles: ['customer'],
  expiresAtMs,
});
const alice = { tenant: 'acme', principal: 'alice', roles: ['customer'] };

let stored: StoredKeys;
beforeEach(async () => {
  Object.assign(table, { changes: 0, keys: [keyOf('known'), keyOf('old', NOW_MS - 1)], isAway: false });
  stored = new StoredKeys(silent);
  await stored.start(database);
  queries = 0;
});
afterEach(async () => {
  table.isAway = false;
  await stored.stop();
});

const whoSends = (text: string) => stored.callerOf(credential(text));

it('R54 no request asks the database, whether its key is known, unknown or old', () => {
  for (let count = 0; count < 1_000; count++) {
    expect(whoSends('known')).toEqual(alice);
    expect(whoSends('old')).toBeUndefined();
    expect(whoSends(`stranger-${count}`)).toBeUndefined();
  }
  expect(queries).toBe(0);
});

it('R54 a key expires by the clock of the database, without being read again', async () => {
  Object.assign(table, { changes: 1, keys: [keyOf('short', NOW_MS + 300)] });
  await stored.refresh();
  expect(whoSends('short')).toEqual(alice);
  await eventually(() => expect(whoSends('short')).toBeUndefined());
});

it('R54 keys are read again only when there was a change', async () => {
  table.keys = [keyOf('new')];
  await stored.refresh();
  expect(whoSends('new')).toBeUndefined();
  table.changes = 1;
  await stored.refresh();
  expect([whoSends('new'), whoSends('known')]).toEqual([alice, undefined]);
});

it('R54 before the keys were ever read, nobody is a stranger', () => {
  const answer = new StoredKeys(silent).callerOf(credential('known'));
  expect(answer).toBeInstanceOf(Problem);
  expect((answer as Problem).body).toMatchObject({ status: 503, code: 'unavailable' });
});

it('R54 a key that is used a thousand times is noted once, and one that is not used never', async () => {
  await stored.noteUse();
  expect(queries).toBe(0);
  for (let count = 0; count < 1_000; count++) whoSends('known');
  await stored.noteUse();
  await stored.noteUse();
  expect(queries).toBe(1);
});

it('R54 a failure to read leaves what is known', async () => {
  table.isAway = true;
  await stored.refresh();
  expect(whoSends('known')).toEqual(alice);
  expect(whoSends('stranger')).toBeUndefined();
});

import type { Tx } from '@shop/postgres';
import { defineBackfill } from './backfill';

const step = async () => ({ cursor: 1, worked: 1, done: true });
const fine = { name: 'mark-books', title: 'Marks each book', ratePerSecond: 100, batch: 10, step };

describe('a backfill', () => {
  it.each([
    [{ ...fine, name: 'Mark books' }, 'kebab-case'],
    [{ ...fine, name: '' }, 'kebab-case'],
    [{ ...fine, name: 'a'.repeat(65) }, 'kebab-case'],
    [{ ...fine, batch: 0 }, 'batch'],
    [{ ...fine, batch: 1_001 }, 'batch'],
    [{ ...fine, ratePerSecond: 0.5 }, 'rate'],
  ])('R42 that cannot be run is refused: %j', (backfill, what) => {
    expect(() => defineBackfill(backfill)).toThrow(new RegExp(what));
  });

  it('R42 that reads before its step is told where reading ended, and steps over nothing', async () => {
    const stepped: unknown[] = [];
    const reading = defineBackfill<string, number>({
      ...fine,
      read: async (cursor, limit) =>
        cursor === 'a' ? { rows: [], cursor: 'b', done: false } : { rows: [1, limit], cursor: 'a', done: true },
      step: async (_, rows) => void stepped.push(rows),
    });
    const tx = {} as Tx;
    expect(await (await reading.prepare(undefined, 7))(tx)).toEqual({ cursor: 'a', worked: 2, done: true });
    expect(await (await reading.prepare('a', 7))(tx)).toEqual({ cursor: 'b', worked: 0, done: false });
    expect(stepped).toEqual([[1, 7]]);
  });
});

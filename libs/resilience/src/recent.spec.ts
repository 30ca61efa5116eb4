/** What is remembered, and what is forgotten for it. */
import { Recent } from './recent';

const kept = (recent: Recent<string, number>) => ['a', 'b', 'c', 'd'].filter((key) => recent.has(key));

describe('R45 what was put in lately', () => {
  it('is no more than the limit: the oldest goes first', () => {
    const recent = new Recent<string, number>(2);
    for (const [index, key] of ['a', 'b', 'c'].entries()) recent.put(key, index);
    expect([kept(recent), recent.get('c'), recent.get('a')]).toEqual([['b', 'c'], 2, undefined]);
  });

  it('is the newest when it is put in again, with its new value', () => {
    const recent = new Recent<string, number>(2);
    recent.put('a', 1);
    recent.put('b', 2);
    recent.put('a', 3);
    recent.put('c', 4);
    expect([kept(recent), recent.get('a')]).toEqual([['a', 'c'], 3]);
  });

  it('makes room when it is deleted', () => {
    const recent = new Recent<string, number>(2);
    recent.put('a', 1);
    recent.put('b', 2);
    recent.delete('a');
    recent.put('c', 3);
    expect(kept(recent)).toEqual(['b', 'c']);
  });

  it('goes on so, whatever is put in again or deleted in between', () => {
    const recent = new Recent<number, number>(3);
    let order: number[] = [];
    for (let turn = 0; turn < 5_000; turn++) {
      const key = (turn * turn + 3 * turn) % 11;
      order = order.filter((one) => one !== key);
      if (turn % 5 === 0) recent.delete(key);
      else {
        recent.put(key, turn);
        order = [...order, key].slice(-3);
      }
      expect(Array.from({ length: 11 }, (_, one) => one).filter((one) => recent.has(one))).toEqual(
        [...order].sort((a, b) => a - b),
      );
    }
  });
});

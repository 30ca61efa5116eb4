/** Which entries the map keeps, and which it forgets. */
import { BoundedMap } from './bounded-map';

const kept = (map: BoundedMap<string, number>) => ['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined);

describe('R45 what was put in lately', () => {
  it('is no more than the limit: the oldest goes first', () => {
    const map = new BoundedMap<string, number>(2);
    for (const [index, key] of ['a', 'b', 'c'].entries()) map.put(key, index);
    expect([kept(map), map.get('c'), map.get('a')]).toEqual([['b', 'c'], 2, undefined]);
  });

  it('is the newest when it is put in again, with its new value', () => {
    const map = new BoundedMap<string, number>(2);
    map.put('a', 1);
    map.put('b', 2);
    map.put('a', 3);
    map.put('c', 4);
    expect([kept(map), map.get('a')]).toEqual([['a', 'c'], 3]);
  });

  it('makes room when it is deleted', () => {
    const map = new BoundedMap<string, number>(2);
    map.put('a', 1);
    map.put('b', 2);
    map.delete('a');
    map.put('c', 3);
    expect(kept(map)).toEqual(['b', 'c']);
  });

  it('goes on so, whatever is put in again or deleted in between', () => {
    const map = new BoundedMap<number, number>(3);
    let order: number[] = [];
    for (let turn = 0; turn < 5_000; turn++) {
      const key = (turn * turn + 3 * turn) % 11;
      order = order.filter((one) => one !== key);
      if (turn % 5 === 0) map.delete(key);
      else {
        map.put(key, turn);
        order = [...order, key].slice(-3);
      }
      expect(Array.from({ length: 11 }, (_, one) => one).filter((one) => map.get(one) !== undefined)).toEqual(
        [...order].sort((a, b) => a - b),
      );
    }
  });
});

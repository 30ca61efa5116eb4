// Tests that a seed repeats its numbers and that they spread evenly.
import { seededRandom } from './random';

test('the same seed gives the same numbers, another seed gives others', () => {
  const numbers = (seed: number): number[] => Array.from({ length: 10 }, seededRandom(seed).next);
  expect(numbers(42)).toEqual(numbers(42));
  expect(numbers(42)).not.toEqual(numbers(43));
});

test('whole numbers spread evenly below the limit', () => {
  const random = seededRandom(1);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10_000; i += 1) {
    const n = random.int(5);
    counts[n] = (counts[n] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200);
});

test('a shuffled list has the same items, and the given list does not change', () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = seededRandom(7).shuffle(items);
  expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(shuffled).not.toEqual(items);
  expect([...shuffled].sort()).toEqual(items);
});

test('a pick is one of the items, and nothing is picked from nothing', () => {
  const random = seededRandom(3);
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])));
  expect([...picked].sort()).toEqual(['a', 'b', 'c']);
  expect(() => random.pick([])).toThrow(RangeError);
});

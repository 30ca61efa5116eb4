import fc from 'fast-check';
import { FairQueue } from './fair-queue';

const taken = (queue: FairQueue<string>, count: number) => Array.from({ length: count }, () => queue.take());

describe('R54 FairQueue', () => {
  it('R54 serves its lines in turn, and each line in the order in which it came', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item[0]!, item);
    expect([queue.size, queue.width, queue.sizeOf('a'), queue.peek()]).toEqual([6, 3, 3, 'a1']);
    expect(taken(queue, 7)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', undefined]);
    expect([queue.size, queue.width, queue.sizeOf('a'), queue.peek()]).toEqual([0, 0, 0, undefined]);
  });

  it('R54 whoever comes late waits for one turn of each other line, however long these are', () => {
    const queue = new FairQueue<string>();
    for (let n = 0; n < 1_000; n++) queue.push('flood', `flood-${n}`);
    taken(queue, 500);
    queue.push('late', 'late-1');
    expect(taken(queue, 2)).toEqual(['flood-500', 'late-1']);
  });

  it('R54 passes over lines that are not ready, which keep their turns', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'b1', 'a2']) queue.push(item[0]!, item);
    expect(queue.take((key) => key !== 'a')).toBe('b1');
    expect(queue.take((key) => key === 'c')).toBeUndefined();
    expect(taken(queue, 2)).toEqual(['a1', 'a2']);
  });

  it('takes the front of each line while a condition holds', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a9', 'a2', 'b1', 'b2']) queue.push(item[0]!, item);
    expect(queue.takeFront((item) => Number(item[1]) < 3)).toEqual(['a1', 'b1', 'b2']);
    expect(taken(queue, 3)).toEqual(['a9', 'a2', undefined]);
  });

  it('loses nobody and serves nobody twice, in any order of coming and taking', () => {
    const act = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant(undefined));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 500 }), (acts) => {
        const queue = new FairQueue<string>();
        const came: string[] = [];
        const served: string[] = [];
        for (const key of acts) {
          if (key === undefined) served.push(...[queue.take()].filter((item) => item !== undefined));
          else came.push(`${key}${came.length}`);
          if (key !== undefined) queue.push(key, came.at(-1)!);
        }
        served.push(...queue.takeFront(() => true));
        expect(queue.size).toBe(0);
        for (const key of ['a', 'b', 'c']) {
          const ofLine = (items: string[]) => items.filter((item) => item.startsWith(key));
          expect(ofLine(served)).toEqual(ofLine(came));
        }
      }),
    );
  });
});

import { Pace } from './pace';

describe('Pace', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** What has got its place so far, in the order in which it got it. */
  function takers(pace: Pace) {
    const gone: string[] = [];
    const take = (name: string, pieces?: number, signal?: AbortSignal) =>
      void pace.take(pieces, signal).then(
        () => gone.push(name),
        (reason: Error) => gone.push(`${name}: ${reason.message}`),
      );
    return { gone, take };
  }

  it('lets a burst go at once, and the others in their order at the rate', async () => {
    const { gone, take } = takers(new Pace({ perSecond: 10, burst: 3 }));
    for (const name of ['a', 'b', 'c', 'd', 'e']) take(name);
    await jest.advanceTimersByTimeAsync(0);
    expect(gone).toEqual(['a', 'b', 'c']);
    await jest.advanceTimersByTimeAsync(99);
    expect(gone).toHaveLength(3);
    await jest.advanceTimersByTimeAsync(1);
    expect(gone).toEqual(['a', 'b', 'c', 'd']);
    await jest.advanceTimersByTimeAsync(100);
    expect(gone).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('saves up no more than a burst in a quiet time', async () => {
    const { gone, take } = takers(new Pace({ perSecond: 10, burst: 2 }));
    await jest.advanceTimersByTimeAsync(60_000);
    for (const name of ['a', 'b', 'c']) take(name);
    await jest.advanceTimersByTimeAsync(0);
    expect(gone).toEqual(['a', 'b']);
  });

  it('takes more than a burst at once, which then waits for what is missing', async () => {
    const { gone, take } = takers(new Pace({ perSecond: 100, burst: 10 }));
    take('batch', 60);
    take('next');
    await jest.advanceTimersByTimeAsync(499);
    expect(gone).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(gone).toEqual(['batch']);
    await jest.advanceTimersByTimeAsync(10);
    expect(gone).toEqual(['batch', 'next']);
  });

  it('never lets more than a burst and the rate go, whatever is asked for and given up', async () => {
    const pace = new Pace({ perSecond: 50, burst: 5 });
    const { gone, take } = takers(pace);
    for (let step = 0; step < 200; step++) {
      const leaving = new AbortController();
      take('kept');
      take('left', 1, leaving.signal);
      await jest.advanceTimersByTimeAsync(10);
      leaving.abort(new Error('given up'));
    }
    const went = gone.filter((name) => !name.includes(':')).length;
    expect(went).toBeLessThanOrEqual(5 + 50 * 2);
    expect(went).toBeGreaterThan(5);
  });

  it('ends the wait of who is aborted, at once and with the reason, and takes nothing for who was aborted before', async () => {
    const { gone, take } = takers(new Pace({ perSecond: 1, burst: 1 }));
    take('early', 100, AbortSignal.abort(new Error('too late')));
    take('a');
    const leaving = new AbortController();
    take('b', 1, leaving.signal);
    leaving.abort(new Error('stopped'));
    await jest.advanceTimersByTimeAsync(0);
    expect(gone.toSorted()).toEqual(['a', 'b: stopped', 'early: too late']);
  });

  it.each([
    [0, 1],
    [-1, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [10, 0],
  ])('refuses %d a second with a burst of %d', (perSecond, burst) => {
    expect(() => new Pace({ perSecond, burst })).toThrow(RangeError);
  });
});

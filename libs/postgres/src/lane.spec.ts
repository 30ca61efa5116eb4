import { Lane, LaneFullError, type LaneOptions, longestStuckMs } from './lane';
import { DatabaseAwayError } from './pg-errors';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function recordingLane(options: Partial<LaneOptions<number, number>> = {}) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const lane = new Lane<number, number>({
    ...options,
    run: async (batch) => {
      batches.push(batch);
      await new Promise<void>((resolve) => gates.push(resolve));
      return batch.map((n) => n * 10);
    },
  });
  return { lane, batches, open: () => gates.shift()!() };
}

describe('Lane', () => {
  it('runs what arrives during a batch as the next batch, in arrival order', async () => {
    const { lane, batches, open } = recordingLane();
    const first = lane.submit(1);
    await tick();
    const later = [lane.submit(2), lane.submit(3)];
    open();
    expect(await first).toBe(10);
    await tick();
    open();
    expect(await Promise.all(later)).toEqual([20, 30]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('takes what arrives in one turn of the event loop together', async () => {
    const { lane, batches, open } = recordingLane();
    const all = Promise.all([lane.submit(1), lane.submit(2)]);
    await tick();
    open();
    await all;
    expect(batches).toEqual([[1, 2]]);
  });

  it('never makes a batch larger than maxBatch', async () => {
    const { lane, batches, open } = recordingLane({ maxBatch: 2 });
    const all = Promise.all([1, 2, 3].map((n) => lane.submit(n)));
    await tick();
    open();
    await tick();
    await tick();
    open();
    await all;
    expect(batches).toEqual([[1, 2], [3]]);
  });

  it('keeps a member that asked for it out of the batches of others', async () => {
    const { lane, batches, open } = recordingLane();
    const all = Promise.all([lane.submit(1), lane.submit(2, { alone: true }), lane.submit(3)]);
    for (let i = 0; i < 3; i++) {
      await tick();
      await tick();
      open();
    }
    await all;
    expect(batches).toEqual([[1], [2], [3]]);
  });

  it('runs the members of a failed batch alone, so that one bad member fails by itself', async () => {
    const lane = new Lane<number, number>({
      run: async (batch) => {
        if (batch.includes(13)) throw new Error('unlucky');
        return batch;
      },
    });
    const results = await Promise.allSettled([1, 13, 2].map((n) => lane.submit(n)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('refuses more waiting members than it may hold, and takes new ones when there is room again', async () => {
    const { lane, open } = recordingLane({ maxWaiting: 1 });
    const first = lane.submit(1);
    await tick();
    const second = lane.submit(2);
    await expect(lane.submit(3)).rejects.toBeInstanceOf(LaneFullError);
    open();
    await first;
    await tick();
    open();
    expect(await second).toBe(20);
  });
});

describe('R54 a lane that several tenants share', () => {
  const turnOf = (n: number) => String(Math.floor(n / 100));

  it('R54 takes from them in turn, so that nobody waits behind the many of another one', async () => {
    const { lane, batches, open } = recordingLane({ maxBatch: 3, turnOf });
    const all = Promise.all([100, 101, 102, 103, 200, 300].map((n) => lane.submit(n)));
    await tick();
    open();
    await tick();
    await tick();
    open();
    await all;
    expect(batches).toEqual([
      [100, 200, 300],
      [101, 102, 103],
    ]);
  });

  it('R54 when it is full, it refuses those who fill it, and takes who has less than a share', async () => {
    const { lane, open } = recordingLane({ maxWaiting: 4, turnOf });
    const first = lane.submit(1);
    await tick();
    const waiting = [100, 101, 102, 103].map((n) => lane.submit(n));
    await expect(lane.submit(104)).rejects.toBeInstanceOf(LaneFullError);
    waiting.push(lane.submit(200), lane.submit(201), lane.submit(202));
    await expect(lane.submit(105)).rejects.toBeInstanceOf(LaneFullError);
    waiting.push(lane.submit(203));
    await expect(lane.submit(204)).rejects.toBeInstanceOf(LaneFullError);
    open();
    await first;
    await tick();
    open();
    expect(await Promise.all(waiting)).toHaveLength(8);
  });
});

describe('R44 nobody waits long in a lane', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  const failing = (errorOf: (batch: number[]) => Error, options: Partial<LaneOptions<number, number>> = {}) => {
    const batches: number[][] = [];
    const lane = new Lane<number, number>({
      ...options,
      run: async (batch) => {
        batches.push(batch);
        jest.advanceTimersByTime(100);
        throw errorOf(batch);
      },
    });
    return { lane, batches };
  };
  const statuses = async (work: Promise<unknown>[]) => (await Promise.allSettled(work)).map(({ status }) => status);
  const pgError = (code: string) => Object.assign(new Error('from PostgreSQL'), { code });

  it('R44 fails with a server that does not answer, and does not ask it once more', async () => {
    const { lane, batches } = failing(() => new DatabaseAwayError('silent'), { maxBatch: 2 });
    expect(await statuses([1, 2, 3, 4].map((n) => lane.submit(n)))).toEqual(Array(4).fill('rejected'));
    expect(batches).toEqual([[1, 2]]);
  });

  it('R44 a member that runs alone and finds the server away is the last one that asks', async () => {
    const { lane, batches } = failing((batch) => (batch.length > 1 ? pgError('23514') : pgError('57P01')));
    expect(await statuses([1, 2, 3].map((n) => lane.submit(n)))).toEqual(Array(3).fill('rejected'));
    expect(batches).toEqual([[1, 2, 3], [1]]);
  });

  it('R44 refuses who has waited too long for a turn, and takes the others', async () => {
    const { lane, open } = recordingLane({ maxWaitMs: 1_000 });
    const first = lane.submit(1);
    await tick();
    const early = lane.submit(2).catch((error: unknown) => error);
    jest.advanceTimersByTime(600);
    const late = lane.submit(3);
    jest.advanceTimersByTime(600);
    open();
    expect(await first).toBe(10);
    expect(await early).toBeInstanceOf(LaneFullError);
    await tick();
    open();
    expect(await late).toBe(30);
  });

  it('R44 a batch whose members are tried alone ends in time, whoever blocks them', async () => {
    const { lane, batches } = failing(() => pgError('55P03'), { maxWaitMs: 250 });
    expect(await statuses([1, 2, 3, 4, 5].map((n) => lane.submit(n)))).toEqual(Array(5).fill('rejected'));
    expect(batches).toEqual([[1, 2, 3, 4, 5], [1], [2]]);
  });

  it('R50 tells for how long its work has not moved', async () => {
    const { lane } = failing(() => pgError('55P03'));
    const other = recordingLane();
    expect(longestStuckMs()).toBe(0);
    const slow = other.lane.submit(1);
    await tick();
    jest.advanceTimersByTime(700);
    expect(longestStuckMs()).toBe(700);
    await statuses([lane.submit(1)]);
    expect(longestStuckMs()).toBe(800);
    other.open();
    await slow;
    await tick();
    expect(longestStuckMs()).toBe(0);
  });

  it('R50 has no work when those who waited were refused', async () => {
    const { lane, open } = recordingLane({ maxWaitMs: 1_000 });
    const first = lane.submit(1);
    await tick();
    const second = lane.submit(2).catch((error: unknown) => error);
    jest.advanceTimersByTime(2_000);
    open();
    await Promise.all([first, second]);
    await tick();
    jest.advanceTimersByTime(5_000);
    expect(longestStuckMs()).toBe(0);
  });

  it('R50 counts a refusal of the work itself as movement, and a failure of the database as none', async () => {
    const stuckAfter = async (code: string) => {
      let rounds = 0;
      const lane: Lane<number, number> = new Lane<number, number>({
        run: async () => {
          jest.advanceTimersByTime(100);
          // Somebody always waits, so that the lane is never without work.
          if (++rounds < 5) lane.submit(rounds).catch(() => undefined);
          else seen = longestStuckMs();
          throw pgError(code);
        },
      });
      let seen = 0;
      await lane.submit(0).catch(() => undefined);
      while (rounds < 5) await tick();
      return seen;
    };
    expect(await stuckAfter('55P03')).toBe(500);
    expect(await stuckAfter('23514')).toBe(100);
  });
});

describe('R45 a lane that gathers', () => {
  const LONG = 60_000;
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  const submitAll = (lane: Lane<number, number>, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => lane.submit(n)));

  /** A batch of this size has run for this long and is over. Two more members wait. */
  async function gatheringBehind(
    size: number,
    { tookMs, ...options }: { tookMs: number; gatherMs: number; turnOf?: (n: number) => string },
  ) {
    const recording = recordingLane({ ...options, maxWaitMs: Infinity });
    const first = submitAll(recording.lane, size);
    await tick();
    jest.advanceTimersByTime(tookMs);
    recording.open();
    await first;
    const next = submitAll(recording.lane, 2);
    const pass = async (ms: number) => {
      jest.advanceTimersByTime(ms);
      for (let turns = 0; turns < 3; turns++) await tick();
    };
    await pass(0);
    return { ...recording, next, pass };
  }

  it('R45 starts at once when it is idle, and behind a small batch', async () => {
    const { batches, open, next } = await gatheringBehind(7, { tookMs: LONG, gatherMs: LONG });
    expect(batches.map(({ length }) => length)).toEqual([7, 2]);
    open();
    await next;
  });

  it('R45 waits behind a large batch for one twice as large', async () => {
    const { lane, batches, open, next, pass } = await gatheringBehind(8, { tookMs: LONG, gatherMs: LONG });
    const more = [submitAll(lane, 13)];
    await pass(0);
    expect(batches).toHaveLength(1);
    more.push(submitAll(lane, 1));
    await pass(0);
    open();
    await Promise.all([next, ...more]);
    expect(batches.map(({ length }) => length)).toEqual([8, 16]);
  });

  it('R54 is interrupted by another tenant', async () => {
    const turnOf = (n: number) => (n < 0 ? 'other' : 'usual');
    const { lane, batches, open, next, pass } = await gatheringBehind(8, { tookMs: LONG, gatherMs: LONG, turnOf });
    expect(batches).toHaveLength(1);
    const late = lane.submit(-1);
    await pass(0);
    open();
    await Promise.all([next, late]);
    expect(batches.map(({ length }) => length)).toEqual([8, 3]);
  });

  it('R54 does not wait behind a batch of several tenants', async () => {
    const { batches, open, next } = await gatheringBehind(8, {
      tookMs: LONG,
      gatherMs: LONG,
      turnOf: (n) => String(n % 2),
    });
    expect(batches.map(({ length }) => length)).toEqual([8, 2]);
    open();
    await next;
  });

  it.each([
    ['it may', { tookMs: LONG, gatherMs: 5 }],
    ['that batch took', { tookMs: 5, gatherMs: LONG }],
  ])('R45 waits no longer than %s', async (_, times) => {
    const { batches, open, next, pass } = await gatheringBehind(8, times);
    await pass(4);
    expect(batches).toHaveLength(1);
    await pass(1);
    open();
    expect(await next).toEqual([0, 10]);
  });
});

import { Lane, LaneFullError } from './lane';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function recordingLane(options: { maxBatch?: number; maxWaiting?: number; gatherMs?: number } = {}) {
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

describe('R45 a lane that gathers', () => {
  const LONG = 60_000;
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  const submitAll = (lane: Lane<number, number>, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => lane.submit(n)));

  /** A batch of this size has run for this long and is over. Two more members wait. */
  async function gatheringBehind(size: number, options: { tookMs: number; gatherMs: number }) {
    const recording = recordingLane({ gatherMs: options.gatherMs });
    const first = submitAll(recording.lane, size);
    await tick();
    jest.advanceTimersByTime(options.tookMs);
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

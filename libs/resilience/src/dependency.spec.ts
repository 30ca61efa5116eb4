import { seededRandom } from '@shop/testing';
import { register } from 'prom-client';
import { NoTurnError } from './bulkhead';
import { CircuitOpenError } from './circuit-breaker';
import { type Chance, Dependency, type DependencyOptions, type OutsideCall } from './dependency';
import type { Try } from './timed-try';
import { RetryableError, TerminalError } from './errors';
import { UnsafeRetryError } from './retry';
import { RetryBudget } from './retry-budget';
import { TimedOutError } from './timeout';

/** It is alive, so that the circuit stays closed. */
const busy = (retryAfterMs?: number): Error =>
  Object.assign(new RetryableError('busy', { retryAfterMs }), { status: 429 });
const down = (): Error => Object.assign(new Error('down'), { status: 503 });

const read = { turn: 'a', isIdempotent: true };

let count = 0;

function openDependency(options: Partial<DependencyOptions> = {}, chance: Partial<Chance> = {}) {
  const name = `dependency-${++count}`;
  const dependency = new Dependency(
    { name, calls: 10, maxWaiting: 10, timeoutMs: 1_000, totalMs: 10_000, restMs: 5_000, ...options },
    { random: () => 0.5, budget: new RetryBudget(), ...chance },
  );
  const tries: Try[] = [];
  const begunAt = performance.now();
  const at: number[] = [];
  /** Answers its tries in this way, one after the other, and the last way for good. */
  const call = (ways: (() => unknown)[], how: Partial<OutsideCall> = read) => {
    const outcome = dependency
      .call(
        async (attempt) => {
          tries.push(attempt);
          at.push(Math.round(performance.now() - begunAt));
          return await ways[Math.min(attempt.number, ways.length) - 1]!();
        },
        { turn: 'a', ...how },
      )
      .then((value) => ({ value }))
      .catch((error: unknown) => ({ error }));
    return outcome as Promise<{ value?: unknown; error?: Error }>;
  };
  const metric = async (metricName: string, labels: Record<string, string> = {}) => {
    const { values } = await register.getSingleMetric(metricName)!.get();
    const found = values.filter(({ labels: own }) =>
      Object.entries({ ...labels, dependency: name }).every(([key, value]) => own[key] === value),
    );
    return found.reduce((sum, { value }) => sum + value, 0);
  };
  return { dependency, call, tries, at, metric };
}

const fail = (error: Error) => () => {
  throw error;
};
const hang = () => new Promise<never>(() => undefined);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('R43 Dependency', () => {
  it('R43 tries again after a growing random delay, until it is answered', async () => {
    const { call, at, tries, metric } = openDependency();
    const outcome = call([fail(down()), fail(busy()), () => 'done']);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual({ value: 'done' });
    expect(at).toEqual([0, 100, 300]);
    expect(tries.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(await metric('outside_retries_total')).toBe(2);
    expect(await metric('outside_tries_total', { outcome: 'failed' })).toBe(2);
    expect(await metric('outside_tries_total', { outcome: 'succeeded' })).toBe(1);
  });

  it('R43 waits as long as the dependency has asked for', async () => {
    const { call, at } = openDependency();
    const outcome = call([fail(busy(3_000)), () => 'done']);
    await jest.advanceTimersByTimeAsync(3_100);
    expect(await outcome).toEqual({ value: 'done' });
    expect(at).toEqual([0, 3_100]);
  });

  it.each<[string, Error, string]>([
    ['400', Object.assign(new Error('no'), { status: 400 }), 'final'],
    ['409', Object.assign(new Error('no'), { status: 409 }), 'final'],
    ['what cannot help', new TerminalError('no'), 'final'],
    ['a wait longer than the time of the call', busy(10_000), 'time'],
  ])('R43 does not try again after %s, and passes the error on', async (_, error, reason) => {
    const { call, tries, metric } = openDependency();
    expect(await call([fail(error)])).toEqual({ error });
    expect(tries).toHaveLength(1);
    expect(await metric('outside_not_retried_total', { reason })).toBe(1);
  });

  it('R43 tries again after 409 where the route says that it is safe', async () => {
    const { call } = openDependency();
    const outcome = call([fail(Object.assign(new Error('in work'), { status: 409 })), () => 'done'], {
      idempotencyKey: 'k',
      isConflictSafe: true,
    });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual({ value: 'done' });
  });

  it('R43 makes no more tries than it may', async () => {
    const { call, tries, metric } = openDependency();
    const outcome = call([fail(busy())]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect((await outcome).error).toMatchObject({ message: 'busy' });
    expect(tries).toHaveLength(3);
    expect(await metric('outside_not_retried_total', { reason: 'tries' })).toBe(1);
  });

  it('R43 refuses a call that may be retried and is neither idempotent nor has a key, before it sends anything', async () => {
    const { call, tries } = openDependency();
    expect((await call([() => 'done'], {})).error).toBeInstanceOf(UnsafeRetryError);
    expect((await call([() => 'done'], { idempotencyKey: '' })).error).toBeInstanceOf(UnsafeRetryError);
    expect(tries).toHaveLength(0);
    expect(await call([() => 'once'], { maxTries: 1 })).toEqual({ value: 'once' });
    expect(await call([() => 'keyed'], { idempotencyKey: 'k' })).toEqual({ value: 'keyed' });
  });

  it('R43 makes at most 1.1 tries of each of 10,000 calls of a dependency that fails', async () => {
    const { next } = seededRandom(44);
    const { call, tries, metric } = openDependency({ maxTries: 5 }, { random: next });
    for (let n = 0; n < 1_000; n++) {
      const outcomes = Array.from({ length: 10 }, () => call([fail(busy())]));
      // All waits together take less than a second here, in which nothing is lent.
      await jest.advanceTimersByTimeAsync(0);
      void Promise.all(outcomes);
    }
    await jest.advanceTimersByTimeAsync(9_000);
    expect(tries.length).toBeLessThanOrEqual(11_000);
    expect(tries.length).toBeGreaterThan(10_000);
    expect(await metric('outside_not_retried_total', { reason: 'budget' })).toBeGreaterThan(8_000);
  });
});

describe('R44 Dependency', () => {
  it('R44 ends a try that hangs, tells it so, and tries again', async () => {
    const { call, tries, at } = openDependency();
    const outcome = call([hang, () => 'done']);
    await jest.advanceTimersByTimeAsync(1_100);
    expect(await outcome).toEqual({ value: 'done' });
    expect(tries[0]!.signal.aborted).toBe(true);
    expect(at).toEqual([0, 1_100]);
  });

  it('R44 gives a try no more time than the call has left, and begins none behind its end', async () => {
    const { call, tries, at } = openDependency({ maxTries: 20, totalMs: 2_500, backoff: linear(100) });
    const outcome = call([hang]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect((await outcome).error).toBeInstanceOf(TimedOutError);
    expect(at).toEqual([0, 1_050, 2_100]);
    expect(tries.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000, 400]);
  });

  it('R44 counts the wait for the turn as time of the call', async () => {
    const { call, tries } = openDependency({ calls: 1, totalMs: 1_500, maxTries: 1 });
    void call([hang]);
    const second = call([hang]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(tries[1]!.timeoutMs).toBe(500);
    await jest.advanceTimersByTimeAsync(500);
    expect((await second).error).toBeInstanceOf(TimedOutError);
  });

  it('R45 refuses who waits too long for its turn, calls nothing for it, and serves tenants in turn', async () => {
    const { call, tries, metric } = openDependency({ calls: 1, maxTries: 1 });
    void call([hang]);
    const impatient = call([hang], { ...read, turn: 'c', maxWaitMs: 10 });
    expect(await metric('outside_calls_waiting')).toBe(1);
    expect(await metric('outside_calls_in_use')).toBe(1);
    await jest.advanceTimersByTimeAsync(10);
    expect((await impatient).error).toBeInstanceOf(NoTurnError);
    expect(await metric('outside_not_called_total', { reason: 'no_turn' })).toBe(1);
    expect(tries).toHaveLength(1);
    const order: string[] = [];
    const named = ['a', 'a', 'b'].map((turn) => call([() => order.push(turn)], { ...read, turn }));
    await jest.advanceTimersByTimeAsync(1_000);
    await Promise.all(named);
    expect(order).toEqual(['a', 'b', 'a']);
    expect(await metric('outside_calls_waiting')).toBe(0);
    expect(await metric('outside_calls_in_use')).toBe(0);
  });

  it('R45 gives its turn to others while it waits for its next try', async () => {
    const { call } = openDependency({ calls: 1 });
    const first = call([fail(busy(5_000)), () => 'first']);
    expect(await call([() => 'second'])).toEqual({ value: 'second' });
    await jest.advanceTimersByTimeAsync(6_000);
    expect(await first).toEqual({ value: 'first' });
  });

  it('R44 leaves alone what is down, lets one call look, and goes on when that is answered', async () => {
    const { call, tries, metric } = openDependency({ maxTries: 1 });
    for (let n = 0; n < 10; n++) await call([fail(down())]);
    expect((await call([() => 'up'])).error).toBeInstanceOf(CircuitOpenError);
    expect(tries).toHaveLength(10);
    expect(await metric('outside_circuit_state')).toBe(2);
    await jest.advanceTimersByTimeAsync(5_000);
    const [probe, other] = [call([() => 'up']), call([() => 'up'])];
    expect((await other).error).toBeInstanceOf(CircuitOpenError);
    expect(await probe).toEqual({ value: 'up' });
    expect(await call([() => 'up'])).toEqual({ value: 'up' });
    expect(await metric('outside_circuit_state')).toBe(0);
    expect(await metric('outside_circuit_changes_total', { to: 'half_open' })).toBe(1);
  });

  it('R44 does not wait for another try when the circuit has opened, and tells what the last try told', async () => {
    const { call, tries, metric } = openDependency();
    for (let n = 0; n < 9; n++) await call([fail(down())], { maxTries: 1 });
    expect((await call([fail(down())])).error).toMatchObject({ message: 'down' });
    expect(tries).toHaveLength(10);
    expect(await metric('outside_not_retried_total', { reason: 'circuit' })).toBe(1);
  });

  it('R44 tells what an earlier try told when no turn comes for the next one', async () => {
    const { call } = openDependency({ calls: 1, maxTries: 2 });
    const outcome = call([fail(down())], { ...read, maxWaitMs: 10 });
    await jest.advanceTimersByTimeAsync(50);
    void call([hang]);
    await jest.advanceTimersByTimeAsync(500);
    expect((await outcome).error).toMatchObject({ message: 'down' });
  });

  it.each([
    ['its turn', 1, [hang]],
    ['its answer', 10, [hang]],
    ['its next try', 10, [fail(busy(5_000))]],
  ])('R44 stops at once when its caller cancels while it waits for %s', async (_, calls, ways) => {
    const { call, tries } = openDependency({ calls });
    if (calls === 1) void call([hang]);
    const { signal, abort } = cancelled();
    const outcome = call(ways, { ...read, signal });
    await jest.advanceTimersByTimeAsync(100);
    abort();
    expect((await outcome).error).toMatchObject({ message: 'cancelled' });
    const before = tries.length;
    await jest.advanceTimersByTimeAsync(100);
    expect(tries.length).toBe(before);
    if (ways[0] === hang && calls > 1) expect(tries[0]!.signal.aborted).toBe(true);
    expect((await call([() => 'never'], { ...read, signal })).error).toMatchObject({ message: 'cancelled' });
  });
});

const linear = (ms: number) => ({ firstMs: ms, maxMs: ms, factor: 1 });

function cancelled() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('cancelled')) };
}

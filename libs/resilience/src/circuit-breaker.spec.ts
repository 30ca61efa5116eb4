import { seededRandom } from '@shop/testing';
import { TaskCancelledError } from 'cockatiel';
import { CircuitBreaker, CircuitOpenError } from './circuit-breaker';

class Outage extends Error {}

function openBreaker() {
  const clock = { ms: 0 };
  const changes: string[] = [];
  const breaker = new CircuitBreaker({
    isOutage: (error) => error instanceof Outage,
    restMs: 1_000,
    now: () => clock.ms,
    onChange: (state) => changes.push(state),
  });
  const succeed = async () => breaker.run(async () => 'done');
  const fail = async (error: Error = new Outage()) => breaker.run(() => Promise.reject(error)).catch((e: Error) => e);
  const breakIt = async () => {
    for (let n = 0; n < 10; n++) await fail();
  };
  return { breaker, clock, changes, succeed, fail, breakIt };
}

describe('R44 CircuitBreaker', () => {
  it('R44 opens when nearly all of the last calls were outages, and calls nobody then', async () => {
    const { breaker, succeed, fail, clock } = openBreaker();
    for (let n = 0; n < 5; n++) await succeed();
    for (let n = 0; n < 16; n++) await fail();
    expect(breaker.state).toBe('closed');
    await fail();
    expect([breaker.state, breaker.refusesForMs]).toEqual(['open', 1_000]);
    clock.ms += 400;
    const work = jest.fn();
    const error = await breaker.run(work).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect((error as CircuitOpenError).retryAfterMs).toBe(600);
    expect(work).not.toHaveBeenCalled();
  });

  it('R44 does not open for a dependency that loses every third answer', async () => {
    const { breaker, succeed, fail } = openBreaker();
    const random = seededRandom(7);
    for (let n = 0; n < 2_000; n++) await (random.int(3) === 0 ? fail() : succeed());
    expect(breaker.state).toBe('closed');
  });

  it('R44 does not open for refusals: who answers is not down', async () => {
    const { breaker, fail } = openBreaker();
    for (let n = 0; n < 100; n++) await fail(new Error('400'));
    expect(breaker.state).toBe('closed');
  });

  it('R44 is half open for exactly one call, and closes when that is answered', async () => {
    const { breaker, changes, clock, succeed, fail, breakIt } = openBreaker();
    await breakIt();
    clock.ms += 1_000;
    let answer: (text: string) => void = () => undefined;
    const probe = breaker.run(() => new Promise<string>((resolve) => (answer = resolve)));
    expect(breaker.state).toBe('half_open');
    for (let n = 0; n < 5; n++) await expect(succeed()).rejects.toThrow(CircuitOpenError);
    answer('up');
    expect(await probe).toBe('up');
    expect(await succeed()).toBe('done');
    expect(changes).toEqual(['open', 'half_open', 'closed']);
    // What was before the rest does not count any more.
    await fail();
    expect(breaker.state).toBe('closed');
  });

  it('R44 closes when the probe is refused', async () => {
    const { breaker, clock, fail, breakIt } = openBreaker();
    await breakIt();
    clock.ms += 1_000;
    await fail(new Error('400'));
    expect(breaker.state).toBe('closed');
  });

  it.each([
    ['fails', new Outage()],
    ['is cancelled', new TaskCancelledError()],
  ])('R44 stays open as long again when the probe %s', async (_, error) => {
    const { breaker, changes, clock, succeed, fail, breakIt } = openBreaker();
    await breakIt();
    clock.ms += 5_000;
    await fail(error);
    expect(breaker.refusesForMs).toBe(1_000);
    clock.ms += 999;
    await expect(succeed()).rejects.toThrow(CircuitOpenError);
    clock.ms += 1;
    expect(await succeed()).toBe('done');
    expect(changes).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
  });

  it('R44 rests as long when the time of day is set back meanwhile', async () => {
    const { clock, succeed, breakIt } = openBreaker();
    await breakIt();
    clock.ms += 1_000;
    jest.useFakeTimers({ now: 0, doNotFake: ['setImmediate', 'performance'] });
    expect(await succeed()).toBe('done');
    jest.useRealTimers();
  });
});

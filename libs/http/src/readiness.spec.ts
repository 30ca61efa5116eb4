import { eventually } from '@shop/testing';
import { register } from 'prom-client';
import { type Health, type HealthCheck, Readiness } from './readiness';

const readinesses: Readiness[] = [];
afterEach(() => readinesses.splice(0).forEach((readiness) => readiness.leave()));

function watch(...checks: HealthCheck['check'][]) {
  const readiness = new Readiness(checks.map((check, index) => ({ name: `part ${index}`, check })));
  readinesses.push(readiness);
  const looks: Health[] = [];
  readiness.onLook((health) => looks.push(health));
  readiness.start();
  return { readiness, looks };
}

describe('R50 readiness', () => {
  it('R50 is what the checks say, each by its name and with its reason', async () => {
    const { readiness } = watch(
      async () => undefined,
      async () => 'only reads',
      () => Promise.reject(new Error('postgres://user:secret@host')),
    );
    expect(await readiness.now()).toEqual({
      ready: false,
      checks: { 'part 0': 'ok', 'part 1': 'only reads', 'part 2': 'failed' },
    });
  });

  it('R50 tells an advice, and gives work all the same', async () => {
    const readiness = new Readiness([
      { name: 'broker', check: async () => undefined },
      { name: 'lag', isAdvice: true, check: async () => 'cmd.crane: 9000 batches wait' },
    ]);
    readinesses.push(readiness);
    readiness.start();
    const checks = { broker: 'ok', lag: 'cmd.crane: 9000 batches wait' };
    expect(await readiness.now()).toEqual({ ready: true, checks });
    const { values } = await register.getSingleMetric('health_check_ok')!.get();
    const byName = Object.fromEntries(values.map(({ labels, value }) => [labels['check'], value]));
    expect(byName).toMatchObject({ broker: 1, lag: 0 });
  });

  it('R50 does not ask the checks when it is asked', async () => {
    const check = jest.fn(async () => undefined);
    const { readiness } = watch(check);
    await readiness.now();
    const asked = check.mock.calls.length;
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => readiness.now()));
    expect(new Set(answers.map(({ ready }) => ready))).toEqual(new Set([true]));
    expect(check.mock.calls.length - asked).toBeLessThan(3);
  });

  it('R50 looks again by itself, and tells who listens', async () => {
    let reason: string | undefined = 'away';
    const { readiness, looks } = watch(async () => reason);
    expect((await readiness.now()).ready).toBe(false);
    reason = undefined;
    await eventually(() => expect(looks.at(-1)?.ready).toBe(true));
    expect((await readiness.now()).ready).toBe(true);
  });

  it('R50 a check that hangs counts as failed', async () => {
    const { readiness } = watch(
      () => new Promise<undefined>(() => undefined),
      async () => undefined,
    );
    expect(await readiness.now()).toEqual({ ready: false, checks: { 'part 0': 'does not answer', 'part 1': 'ok' } });
  });

  it('R53 is over at once when the process is about to end, and stays over', async () => {
    let answer!: () => void;
    const { readiness, looks } = watch(() => new Promise((resolve) => (answer = () => resolve(undefined))));
    readiness.leave();
    const stopping = { ready: false, checks: { process: 'is stopping' } };
    expect(await readiness.now()).toEqual(stopping);
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readiness.now()).toEqual(stopping);
    expect(looks).toEqual([stopping]);
  });
});

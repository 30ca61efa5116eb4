import type { Problem } from '@shop/problem';
import { Admission, type AdmissionLimits } from './admission';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

const usual: AdmissionLimits = { perTenant: 3, inAll: 5, begun: 2, waiting: 10, waitMs: 1_000 };

/** A door in front of sagas that are open, or wait for their first reply, as the test says. */
function openDoor(limits: Partial<AdmissionLimits> = {}) {
  const open = new Map<string, number>();
  const sagas = {
    begun: 0,
    of: (tenant: string) => open.get(tenant) ?? 0,
    get total() {
      return [...open.values()].reduce((sum, count) => sum + count, 0);
    },
    onFewer: (tell: () => void) => void (sagas.tell = tell),
    tell: () => undefined as void,
  };
  const admission = new Admission(sagas, { ...usual, ...limits });
  const entered: string[] = [];
  const set = async (tenant: string, count: number) => {
    open.set(tenant, count);
    sagas.tell();
    await tick();
  };
  /** Places an order, which is open from then on. */
  const place = (tenant: string) =>
    admission.run(tenant, async () => {
      open.set(tenant, sagas.of(tenant) + 1);
      entered.push(tenant);
      return tenant;
    });
  return { admission, sagas, entered, set, place };
}

const refusal = (placing: Promise<unknown>) =>
  placing.then(
    () => 'taken',
    (error: Problem) => [error.getStatus(), error.code, error.headers['retry-after']],
  );

describe('R45 Admission', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  it('R45 lets in what there is room for, and the others when orders have ended', async () => {
    const { entered, set, place } = openDoor();
    const placing = Array.from({ length: 5 }, () => place('a'));
    await tick();
    expect(entered).toHaveLength(3);
    await set('a', 2);
    expect(entered).toHaveLength(4);
    await set('a', 0);
    expect(await Promise.all(placing)).toHaveLength(5);
  });

  it('R45 counts what is on its way in, so that a burst does not run over the limit', async () => {
    const { admission, set } = openDoor();
    let runs = 0;
    let end: () => void = () => undefined;
    const placing = new Promise<void>((resolve) => (end = resolve));
    const all = Array.from({ length: 4 }, () => admission.run('a', () => (runs++, placing)));
    await tick();
    expect(runs).toBe(3);
    end();
    await tick();
    await Promise.all(all);
    expect(runs).toBe(4);
    await set('a', 0);
  });

  it('R45 gives the room back when an order was not placed', async () => {
    const { admission, place } = openDoor({ perTenant: 1 });
    await expect(admission.run('a', () => Promise.reject(new Error('not placed')))).rejects.toThrow('not placed');
    expect(await place('a')).toBe('a');
  });

  it('R54 a tenant with its share does not keep others out', async () => {
    const { set, place, entered } = openDoor();
    await set('a', 3);
    const waiting = place('a');
    expect(await place('b')).toBe('b');
    expect(entered).toEqual(['b']);
    await set('a', 2);
    expect(await waiting).toBe('a');
  });

  it('R54 lets tenants in in turn', async () => {
    const { set, place, entered } = openDoor({ perTenant: 100, inAll: 4 });
    await set('x', 4);
    const all = ['a', 'a', 'a', 'b', 'c'].map((tenant) => place(tenant));
    await tick();
    await set('x', 0);
    expect(entered).toEqual(['a', 'b', 'c', 'a']);
    await set('a', 0);
    expect(entered).toEqual(['a', 'b', 'c', 'a', 'a']);
    await Promise.all(all);
  });

  it('R54 while several tenants place orders, few may wait for their first reply; a tenant alone has no such limit', async () => {
    const { sagas, place, entered } = openDoor({ perTenant: 100, inAll: 100 });
    sagas.begun = 2;
    await place('a');
    await place('a');
    const waiting = [place('b'), place('a')];
    await tick();
    expect(entered).toEqual(['a', 'a']);
    sagas.begun = 1;
    sagas.tell();
    await tick();
    expect(entered).toEqual(['a', 'a', 'b', 'a']);
    await Promise.all(waiting);
    sagas.begun = 2;
    jest.advanceTimersByTime(10_000);
    await place('a');
    expect(entered).toHaveLength(5);
  });

  it('R45 asks a tenant with its share to come again: 429; and everybody when there is no room at all: 503', async () => {
    const { set, place, sagas } = openDoor();
    await set('a', 3);
    const full = refusal(place('a'));
    await set('b', 2);
    const overloaded = refusal(place('c'));
    jest.advanceTimersByTime(1_000);
    await tick();
    expect(sagas.total).toBe(5);
    jest.advanceTimersByTime(500);
    expect(await full).toEqual([429, 'too_many_open_orders', '1']);
    expect(await overloaded).toEqual([503, 'overloaded', '1']);
    await set('a', 0);
    expect(await place('a')).toBe('a');
  });

  it('R45 lets only so many wait', async () => {
    const { set, place } = openDoor({ waiting: 1 });
    await set('a', 3);
    const waiting = place('a');
    expect(await refusal(place('a'))).toEqual([429, 'too_many_open_orders', '1']);
    await set('a', 0);
    expect(await waiting).toBe('a');
  });
});

/** Who is handed a settled order, and who is not. */
import type { SagaChange } from '@shop/saga';
import { Handover } from './handover';
import type { Order } from './order';

const change = (): SagaChange => ({}) as SagaChange;
const orderOf = (id: string): Order => ({ id }) as Order;
const found = async (...ids: string[]) => new Map(ids.map((id) => [id, orderOf(id)]));

/** Waiters by the key of what they wait for; what each has taken. */
function waiting(...keys: string[]) {
  const taken: string[] = [];
  const waiters = keys.map((key, index) => ({ key, take: ({ id }: Order) => void taken.push(`${index} takes ${id}`) }));
  const takersOf = (key: string) => waiters.filter((one) => one.key === key).map(({ take }) => take);
  const join = (key: string) => waiters.push({ key, take: () => void taken.push(`too late for ${key}`) });
  return { handover: new Handover({ takersOf }), taken, join };
}

describe('R31 handing over settled orders', () => {
  it('asks for none when nobody waits for those that are being settled', async () => {
    const { handover, taken } = waiting('other');
    const write = jest.fn();
    const settling = change();
    expect(handover.prepare([{ change: settling, key: 'a' }], write)).toBe(false);
    expect(handover.prepare([], write)).toBe(false);
    await handover.complete([settling]);
    expect([taken, write.mock.calls]).toEqual([[], []]);
  });

  it('gives each to all who waited for it, when it is committed and not before', async () => {
    const { handover, taken } = waiting('a', 'b', 'a', 'other');
    const changes = [change(), change(), change()] as const;
    const settling = ['a', 'b', 'c'].map((key, index) => ({ change: changes[index]!, key }));
    expect(handover.prepare(settling, () => found('a', 'b', 'c', 'other'))).toBe(true);
    await new Promise(setImmediate);
    expect(taken).toEqual([]);
    await handover.complete([changes[0], change()]);
    expect(taken).toEqual(['0 takes a', '2 takes a']);
    await handover.complete([changes[1], changes[2]]);
    expect(taken).toEqual(['0 takes a', '2 takes a', '1 takes b']);
  });

  it('gives nothing to who began to wait while the transaction was under way', async () => {
    const { handover, taken, join } = waiting('a');
    const settling = change();
    handover.prepare([{ change: settling, key: 'a' }], () => found('a'));
    join('a');
    await handover.complete([settling]);
    expect(taken).toEqual(['0 takes a']);
  });

  it('gives nothing where no such order was written, and nothing of a transaction that failed', async () => {
    const { handover, taken } = waiting('a');
    const [missing, failed] = [change(), change()];
    handover.prepare([{ change: missing, key: 'a' }], () => found('b'));
    handover.prepare([{ change: failed, key: 'a' }], () => Promise.reject(new Error('rolled back')));
    // A rejection that nobody handles would end the process.
    await new Promise(setImmediate);
    await handover.complete([missing]);
    expect(taken).toEqual([]);
  });
});

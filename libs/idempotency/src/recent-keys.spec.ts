/** What is remembered of keys, and for how long. */
import { RecentKeys } from './recent-keys';

const key = (index: number, scope = 'orders') => ({ scope, key: `k${index}` });

describe('recent keys', () => {
  it('are new once, each in its own scope', () => {
    const recent = new RecentKeys();
    const said = [key(1), key(1), key(1, 'payments'), key(2), key(1)].map((one) => recent.isNew(one));
    expect(said).toEqual([true, false, true, true, false]);
  });

  it.each([1, 4, 5, 9, 10, 37])('remembers at least half of its limit, and never more than that, after %i', (count) => {
    const recent = new RecentKeys(10);
    for (let index = 0; index < count; index++) expect(recent.isNew(key(index))).toBe(true);
    // Asked from the newest on: each question may push out the oldest.
    const known = Array.from({ length: count }, (_, index) => !recent.isNew(key(count - 1 - index)));
    expect(known.slice(0, 5)).not.toContain(false);
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(10);
  });
});

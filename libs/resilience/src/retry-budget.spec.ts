import fc from 'fast-check';
import { RetryBudget } from './retry-budget';

function openBudget() {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const taken = (budget: RetryBudget, most = 1_000) => {
    let count = 0;
    while (count < most && budget.takeRetry()) count++;
    return count;
  };
  const call = (budget: RetryBudget, count: number) => {
    for (let n = 0; n < count; n++) budget.addCall();
  };
  return { clock, now, taken, call };
}

describe('R43 RetryBudget', () => {
  it('R43 lends ten retries to a process that has called nobody yet', () => {
    const { now, taken } = openBudget();
    expect(taken(new RetryBudget({ now }))).toBe(10);
  });

  it('R43 allows one retry for ten calls, after the calls have paid for what was lent', () => {
    const { now, taken, call } = openBudget();
    const budget = new RetryBudget({ now });
    expect(taken(budget)).toBe(10);
    call(budget, 100);
    expect(taken(budget)).toBe(0);
    call(budget, 10);
    expect(taken(budget)).toBe(1);
    call(budget, 25);
    expect(taken(budget)).toBe(2);
  });

  it('R43 lends one retry every ten seconds, and never more than ten altogether', () => {
    const { clock, now, taken, call } = openBudget();
    const budget = new RetryBudget({ now });
    taken(budget);
    clock.ms += 60_000;
    expect(taken(budget)).toBe(0);
    call(budget, 100);
    clock.ms += 9_999;
    expect(taken(budget)).toBe(0);
    clock.ms += 10_001;
    expect(taken(budget)).toBe(2);
    clock.ms += 3_600_000;
    expect(taken(budget)).toBe(8);
  });

  it('R43 does not save more than a hundred retries for a storm', () => {
    const { now, taken, call } = openBudget();
    const budget = new RetryBudget({ now });
    call(budget, 100_000);
    expect(taken(budget)).toBe(100);
  });

  it('R43 has a total for the process, and one dependency does not use up what another one has earned', () => {
    const { now, taken, call } = openBudget();
    const whole = new RetryBudget({ now });
    const [dead, good] = [new RetryBudget({ now, whole }), new RetryBudget({ now, whole })];
    call(good, 500);
    expect(taken(dead)).toBe(10);
    expect(taken(good)).toBe(40);
    expect(taken(whole)).toBe(0);
    call(dead, 200);
    // What one dependency may retry, the process may too.
    expect([taken(dead), taken(good)]).toEqual([10, 10]);
  });

  it('R43 never lets more through than a tenth of the calls and what is lent, in any order and at any time', () => {
    const act = fc.oneof(fc.constantFrom('call', 'retry'), fc.integer({ min: 1, max: 100_000 }));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 2_000 }), (acts) => {
        const { clock, now } = openBudget();
        const budget = new RetryBudget({ now });
        let calls = 0;
        let retries = 0;
        for (const one of acts) {
          if (one === 'call') budget.addCall();
          if (one === 'call') calls++;
          if (one === 'retry' && budget.takeRetry()) retries++;
          if (typeof one === 'number') clock.ms += one;
          expect(retries).toBeLessThanOrEqual(10 + calls / 10);
        }
      }),
    );
  });
});

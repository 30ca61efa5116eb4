import { FaultPlanner, FaultSettings } from './faults';

const settings = (given: Partial<FaultSettings>) => Object.assign(new FaultSettings(), given);
const RATES = { errorRate: 0.1, resetRate: 0.1, lostAnswerRate: 0.1, rateLimitRate: 0.1 };

describe('FaultPlanner', () => {
  it('plans no fault unless asked', () => {
    const planner = new FaultPlanner();
    expect(Array.from({ length: 100 }, () => planner.plan())).toEqual(
      Array(100).fill({ delayMs: 0, fault: undefined }),
    );
  });

  it('plans the same faults for the same seed, and others for another', () => {
    const planner = new FaultPlanner();
    const runOf = (seed: number) => {
      planner.use(settings({ ...RATES, jitterMs: 50, seed }));
      return Array.from({ length: 50 }, () => planner.plan());
    };
    const first = runOf(7);
    expect(runOf(7)).toEqual(first);
    expect(runOf(8)).not.toEqual(first);
  });

  it('plans each fault as often as its rate says', () => {
    const planner = new FaultPlanner();
    planner.use(settings(RATES));
    const faults = Array.from({ length: 10_000 }, () => planner.plan().fault);
    for (const fault of ['reset', 'rate_limited', 'error', 'answer_lost', undefined]) {
      const share = faults.filter((each) => each === fault).length / faults.length;
      expect(Math.abs(share - (fault ? 0.1 : 0.6))).toBeLessThan(0.02);
    }
  });

  it('fails the first attempt of a source that asks for it, once per key', () => {
    const planner = new FaultPlanner();
    const plan = (key?: string) => planner.plan({ firstAttempt: 'error' }, key).fault;
    expect([plan('a'), plan('a'), plan('b'), plan('b')]).toEqual(['error', undefined, 'error', undefined]);
    expect([plan(), plan()]).toEqual(['error', 'error']);
  });

  it('keeps the fault of a source for the next attempt when another fault came first', () => {
    const planner = new FaultPlanner();
    planner.use(settings({ resetRate: 1 }));
    expect(planner.plan({ firstAttempt: 'error' }, 'a').fault).toBe('reset');
    planner.use(settings({}));
    expect(planner.plan({ firstAttempt: 'error' }, 'a').fault).toBe('error');
  });

  it('adds up delays', () => {
    const planner = new FaultPlanner();
    planner.use(settings({ delayMs: 100 }));
    expect(planner.plan({ delayMs: 2_000 }).delayMs).toBe(2_100);
  });
});

/** R11 at every instant: each service is killed around every commit, publish, ack and call of an order, and started again. */
import { seededRandom } from '@shop/testing';
import { instantsOf, mortals } from './crash-plan';
import { CrashSweep, nameOf, type Target } from './crash-sweep';

/** So many deaths are repeated with a process that dies twice; with CRASH_PAIRS=all, all of them. */
const PAIRS = 12;
const START_TIMEOUT_MS = 120_000;
const SWEEP_TIMEOUT_MS = 30 * 60_000;

/** CRASH_SEED repeats a sample; CRASH_ONLY keeps the targets whose name contains it, such as `payment ack.before`. */
const { CRASH_ONLY = '', CRASH_PAIRS, CRASH_SEED = String(Date.now() % 100_000) } = process.env;

describe('a process that dies during an order', () => {
  let sweep: CrashSweep;
  let targets: Target[];

  beforeAll(async () => {
    sweep = await CrashSweep.open();
    targets = await sweep.learn();
  }, START_TIMEOUT_MS);

  afterAll(() => sweep?.close());

  const strikeAll = async (all: readonly Target[]) => {
    const chosen = all.filter((target) => nameOf(target).includes(CRASH_ONLY));
    expect(chosen).not.toEqual([]);
    await sweep.strikeAll(chosen);
    expect((await sweep.verdict()).join('\n\n')).toBe('');
  };

  it('R11 meets every kind of instant of every service in the stories', () => {
    const met = new Set(targets.map(({ service, instant }) => `${service} ${instant}`));
    const known = mortals.flatMap((service) => instantsOf[service].map((instant) => `${service} ${instant}`));
    expect([...met].sort()).toEqual(known.sort());
  });

  it(
    'R11 loses and doubles nothing, whatever the instant',
    async () => {
      await strikeAll(targets);
    },
    SWEEP_TIMEOUT_MS,
  );

  it(
    `R11 loses and doubles nothing when it dies again at the same instant (CRASH_SEED=${CRASH_SEED})`,
    async () => {
      const sample =
        CRASH_PAIRS === 'all' ? targets : seededRandom(Number(CRASH_SEED)).shuffle(targets).slice(0, PAIRS);
      const before = sweep.deathCount;
      await strikeAll(sample.map((target) => ({ ...target, passes: [target.passes[0]!, target.passes[0]! + 1] })));
      // Some pass the instant only once: after the last ack of an order there is nothing to do again.
      if (!CRASH_ONLY) expect(sweep.deathCount - before).toBeGreaterThan(sample.length);
    },
    SWEEP_TIMEOUT_MS,
  );
});

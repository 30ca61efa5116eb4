/** Tests of the test, as bite.int.spec.ts, for what operators hold. */
import { StepHolds } from '@shop/saga';
import { seededRandom } from '@shop/testing';
import { without } from './gaps';
import type { Gaps } from './replicas';
import type { Script, Weather } from './script';
import { writeScript } from './script-shop';
import { useDatabases } from './seeds';
import { Simulation } from './simulation';

const TIMEOUT_MS = 300_000;
/** So many of those that have what the rule is about. */
const SEEDS = 60;
/** Deadlines pass, and few answers come before them. */
const LATE: Weather = { time: 4, lose: 3 };

const databases = useDatabases();

type Has = (script: Script) => boolean;

const holdsSagas: Has = ({ holds }) => holds?.holdings.some(({ step }) => !step) === true;
const holdsSteps: Has = ({ holds }) => holds?.holdings.some(({ step }) => step) === true;

function* seedsWith(has: Has): Generator<number> {
  for (let seed = 1, found = 0; found < SEEDS; seed++) {
    if (!has(writeScript(seededRandom(seed), 'acme'))) continue;
    found++;
    yield seed;
  }
}

/** The first of these seeds that breaks the rule. Without the gap it breaks none. */
async function expectMissed(rule: string, has: Has, gaps: Gaps, weather?: Weather): Promise<void> {
  const failure = await new Simulation(databases(), gaps, weather).firstFailure(seedsWith(has), rule);
  if (!failure) throw new Error(`of ${SEEDS} seeds none breaks the rule "${rule}"`);
  jest.restoreAllMocks();
  expect((await new Simulation(databases(), {}, weather).run(failure.seed)).faults).toEqual([]);
}

describe('R49 some seed fails without', () => {
  afterEach(() => jest.restoreAllMocks());

  it.each<[string, string, Has, Gaps, Weather?]>([
    [
      'the mark of a saga that is held',
      'a held saga sends nothing',
      holdsSagas,
      without('saga.update', `jsonb_build_object('since', now()) || u.held`, 'null::jsonb'),
    ],
    [
      'the time that a hold gives back to a deadline',
      'a deadline stands still',
      holdsSagas,
      without('saga.update', `s.deadline_at + (now() - (s.held ->> 'since')::timestamptz)`, 's.deadline_at'),
      LATE,
    ],
    [
      'the look for sagas whose step is released',
      'sagas end',
      holdsSteps,
      without('saga-hold.select-released', 'order by id', 'and false order by id'),
    ],
    [
      'the holds that are read',
      'a held step is not sent',
      holdsSteps,
      without('saga-hold.select', 'released_at is null', 'false'),
    ],
  ])(
    '%s, because of "%s"',
    async (...[, rule, has, gaps, weather]) => expectMissed(rule, has, gaps, weather),
    TIMEOUT_MS,
  );

  it(
    'an engine that asks for the holds, because of "a held step is not sent"',
    async () => {
      jest.spyOn(StepHolds.prototype, 'of').mockReturnValue(undefined);
      await expectMissed('a held step is not sent', holdsSteps, {});
    },
    TIMEOUT_MS,
  );
});

/** Tests of the test: each safeguard of the product is removed, one by one, and some seed has to fail without it. */
import type { decide } from '@shop/saga';
import {
  forgetfulProvider,
  namesAreLost,
  newRefundKeys,
  noFencedPoints,
  noLedgerOf,
  noMarks,
  nothingUndone,
  noTombstones,
} from './gaps';
import type { Weights } from './script';
import { useDatabases } from './seeds';
import { Simulation } from './simulation';
import type { Gaps } from './replicas';

/** Each gap has to show in one of these seeds. */
const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);
const TIMEOUT_MS = 300_000;
/** Where a refund is refused, its saga is parked for a person in any case. Here none is refused. */
const LOSING_ANSWERS: Partial<Weights> = { providerFaults: 40, providerFault: 'does it and loses the answer' };

/** Commands come late and again, and nothing else goes wrong that would hide what becomes of them. */
const LATE: Partial<Weights> = {
  repeat: 3,
  time: 3,
  olderBatches: 10,
  lose: 0,
  kill: 0,
  brokenTransactions: 0,
  pausedTransactions: 0,
  providerFaults: 0,
};

const databases = useDatabases();

/** The first seed that breaks this rule. */
async function expectMissed(rule: string, gaps: Gaps, weather: Partial<Weights> = {}): Promise<number> {
  const failure = await new Simulation(databases(), gaps, weather).firstFailure(SEEDS, rule);
  if (!failure) throw new Error(`of ${SEEDS.length} seeds none breaks the rule "${rule}"`);
  return failure.seed;
}

/** Without the gap the same seed breaks no rule. */
async function expectWell(seed: number, weather?: Partial<Weights>, gaps: Gaps = {}): Promise<void> {
  expect((await new Simulation(databases(), gaps, weather).run(seed)).faults).toEqual([]);
}

const mockTurningBack = { leavesOutWhatIsInDoubt: false };
jest.mock('../../../libs/saga/src/decide', () => {
  const real = jest.requireActual<{ decide: typeof decide }>('../../../libs/saga/src/decide');
  return {
    ...real,
    decide: (...[definition, state, event, holdOf]: Parameters<typeof decide>) => {
      const decision = real.decide(definition, state, event, holdOf);
      if (!('send' in decision) || state.action !== 'do' || decision.send?.action !== 'undo') return decision;
      const { step, action } = state;
      if (!mockTurningBack.leavesOutWhatIsInDoubt || decision.send.step !== step) return decision;
      // As if a step with an unknown outcome had been refused: the step before it is undone.
      const refused = { type: 'replied', step, action, outcome: 'refused', reason: 'in_doubt' } as const;
      return real.decide(definition, state, refused, holdOf);
    },
  };
});

describe('R11 some seed fails without', () => {
  it.each<[string, string, Gaps, Partial<Weights>?]>([
    ['R3 the tombstone of a reservation', 'nothing stays reserved', noTombstones, LATE],
    ['R3 the tombstone of a charge', 'money follows orders', noTombstones],
    ['R3 the name of the do in its undo', 'nothing stays reserved', nothingUndone, LATE],
    ['R12 the ledger of the order service', 'repeats get the first answer', noLedgerOf('order')],
    ['R22 the ledger of inventory', 'nothing stays reserved', noLedgerOf('inventory'), LATE],
    ['R22 the ledger of payment', 'sagas end', noLedgerOf('payment')],
    ['R4 the provider key of a refund, the same for each attempt', 'sagas end', newRefundKeys, LOSING_ANSWERS],
    ['R4 the mark of a charge that is undone', 'no charge is made by an undo', noMarks],
  ])(
    '%s, because of "%s"',
    // A fourth parameter would be the callback of a test whose row has three members.
    async (...[, rule, gaps, weather]) => {
      await expectWell(await expectMissed(rule, gaps, weather), weather);
    },
    TIMEOUT_MS,
  );

  it.each<[string, Gaps]>([
    ['R4 the name that is stored before the money is asked for', namesAreLost],
    ['R18 the fencing token of the name', noFencedPoints],
  ])(
    '%s, because of "an order is charged once"',
    async (_, gaps) => {
      const weather = { providerSpeed: 0.3, time: 4, lose: 1 };
      const seed = await expectMissed('an order is charged once', gaps, weather);
      // The keys of the provider protect too, so here it has forgotten them. The name alone is enough.
      await expectWell(seed, weather, forgetfulProvider);
    },
    TIMEOUT_MS,
  );

  it(
    'R2 the undo of a step that was not answered, because of "money follows orders"',
    async () => {
      mockTurningBack.leavesOutWhatIsInDoubt = true;
      const missed = expectMissed('money follows orders', {});
      await expectWell(await missed.finally(() => (mockTurningBack.leavesOutWhatIsInDoubt = false)));
    },
    TIMEOUT_MS,
  );

  it(
    'R7 the key of the history, because of "histories are whole"',
    async () => {
      const { dataSource } = databases().order;
      await dataSource.query('alter table public.saga_history drop constraint saga_history_pkey');
      const seed = await expectMissed('histories are whole', {});
      await dataSource.query(
        'alter table public.saga_history add constraint saga_history_pkey primary key (saga_id, seq)',
      );
      await expectWell(seed);
    },
    TIMEOUT_MS,
  );
});

/** What the seeds come by: a simulation that never meets trouble proves nothing. */
import type { decideAll } from '@shop/saga/testing';
import { useDatabases } from './seeds';
import { Simulation } from './simulation';

const databases = useDatabases();
const SEEDS = 200;

const HEARS = /(order \d+) gets #\d+\/reserve\/do\/reply: sends #\d+\/charge\/do, acknowledges/;
/** In between, and in the same run, it has written nothing. */
const DIES_WITH_WHAT_IT_HEARD = new RegExp(
  `${HEARS.source}\\n(?:(?!.*(?:\\1: transaction|nothing goes wrong)).*\\n)*.*\\1 is killed`,
);

/** What became of replies that were heard and not written, and of those that prove one. */
const mockHeard = new Set<string>();
jest.mock('../../../libs/saga/src/decide-all', () => {
  const real = jest.requireActual<{ decideAll: typeof decideAll }>('../../../libs/saga/src/decide-all');
  return {
    ...real,
    decideAll: (...[book, known, batch]: Parameters<typeof decideAll>) => {
      const moved = real.decideAll(book, known, batch);
      for (const [index, { saga, transition, send }] of moved.changes.entries()) {
        // It has left already, in this process or in another one.
        if (transition.event !== 'do.succeeded' || transition.to !== 'charge.do' || send) continue;
        const row = known.get(saga.id)!;
        const next = moved.changes[index + 1];
        const cause = next?.saga.id === saga.id ? next.transition.event : 'nothing';
        mockHeard.add(`${book.heardOf(row) ? 'heard' : 'implied'} and ${cause}`);
      }
      if (moved.ignored.some(({ heardAt }) => heardAt)) mockHeard.add('overtaken');
      return moved;
    },
  };
});

let ends: Set<string>;
let traces: string;
beforeAll(async () => {
  const simulation = new Simulation(databases());
  ends = new Set();
  const told: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = await simulation.run(seed);
    for (const end of run.ends) ends.add(end);
    told.push(...run.trace);
  }
  traces = told.join('\n');
}, 300_000);

it.each([
  'confirmed',
  'cancelled, out_of_stock',
  'cancelled, payment_declined',
  'cancelled, cancelled_by_client',
  'cancelled, timed_out',
])('R1 R2 R5 R9 the seeds come by an order that ends %s', (end) => {
  expect([...ends]).toContain(end);
});

it.each<[string, RegExp]>([
  ['a key that another replica wrote first', /orders\.insert.*ledger\.find-entries/],
  ['a key that another replica holds', /canceling statement due to lock timeout/],
  ['a lease that has run out', /ledger\.take-over-expired/],
  ['a lease that somebody else has taken over', /the lease of .* was taken over/],
  ['a charge after the death of who asked for it', /forgotten charge of \d+\) answers/],
  ['a saga that another replica has moved meanwhile', /saga\.insert-history, saga\.select-for-update/],
  ['a restock', /restock\/do\/reply/],
  ['a charge that leaves before its cause is written', HEARS],
  ['a replica that is killed with what it has heard', DIES_WITH_WHAT_IT_HEARD],
])('R11 the seeds come by %s', (_, sign) => {
  expect(sign.test(traces)).toBe(true);
});

it.each([
  ['written with the reply that follows from it', 'heard and do.succeeded'],
  ['written with the refusal that follows from it', 'heard and do.refused'],
  ['written when nothing else comes', 'heard and nothing'],
  ['written in front of a wish to cancel', 'heard and cancel.requested'],
  ['proved by the next one, when nobody wrote it', 'implied and do.succeeded'],
  ['overtaken by another replica', 'overtaken'],
])('R11 the seeds come by a reply that is heard, and then %s', (_, sign) => {
  expect([...mockHeard]).toContain(sign);
});

it('R6 the seeds come by an order whose saga is parked, because the provider refuses to give the money back', async () => {
  const simulation = new Simulation(databases(), {}, { providerFaults: 60, providerFault: 'refuses the request' });
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { ends, faults } = await simulation.run(seed);
    expect(faults).toEqual([]);
    if (ends.some((end) => end.startsWith('cancelling'))) return;
  }
  throw new Error('no order is left in the middle of its cancelling');
}, 300_000);

/** What the seeds come by: a simulation that never meets trouble proves nothing. */
import { useDatabases } from './seeds';
import { Simulation } from './simulation';

const databases = useDatabases();
const SEEDS = 200;

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
])('R11 the seeds come by %s', (_, sign) => {
  expect(sign.test(traces)).toBe(true);
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

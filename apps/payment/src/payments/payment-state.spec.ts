/**
 * Every ordering of what can happen to a payment that waits: its customer approves, declines or walks away, a bank takes
 * its time, its saga undoes it, its time ends, and two replicas ask the provider and write what they saw, as late as
 * they like. All of them come to one end, and the money is where it belongs.
 */
import { examplePayment } from '../../testing/example-payment';
import type { Intent } from './intent';
import type { Payment } from './payment';
import { changeBy, isToBeGivenUp, isUnwanted, isWaiting, type Standing } from './payment-state';

const reference = 'pi_1';
const url = 'https://bank.example/3ds';
const asked: Intent = { reference, status: 'requires_action', url };
const processing: Intent = { reference, status: 'processing' };

interface World {
  payment: Payment & Standing;
  intent: Intent;
  /** What a replica has heard and not written yet. */
  heard: (Intent | undefined)[];
  /** What happened to it before: the customer and the bank decide once. */
  told: string[];
}

type Step = [name: string, next: World];

const REPLICAS = [0, 1];

const begin = (intent: Intent): World => ({
  payment: {
    ...examplePayment({
      status: 'pending',
      waitsFor: intent.status === 'processing' ? 'provider' : 'customer',
      nextActionUrl: intent.status === 'processing' ? null : url,
    }),
    isExpired: false,
  },
  intent,
  heard: [undefined, undefined],
  told: [],
});

/** Like the statement: an end is never left, and nobody takes back that it is undone. */
function write(payment: World['payment'], heard: Intent): World['payment'] {
  // What was read before the call may be old. So the mark may be missing in it.
  const change = changeBy(payment, heard);
  return change ? { ...payment, ...change, undone: payment.undone || change.undone } : payment;
}

/** Like the provider: what is taken, given up or under way at a bank is not given up any more. */
const cancelled = (intent: Intent): Intent =>
  intent.status === 'requires_action' || intent.status === 'declined' || intent.status === 'authorized'
    ? { reference, status: 'cancelled' }
    : intent;

function decisions(world: World): Step[] {
  const { intent, told } = world;
  const to = (name: string, status: Intent): Step => [name, { ...world, intent: status, told: [...told, name] }];
  const declined: Intent = { reference, status: 'declined', reason: 'refused_by_customer' };
  switch (intent.status) {
    case 'requires_action':
      return [to('approves', { reference, status: 'succeeded' }), to('declines', declined), to('bank', processing)];
    case 'processing':
      return [to('lands', { reference, status: 'succeeded' }), to('fails', declined)];
    default:
      return [];
  }
}

function steps(world: World): Step[] {
  const { payment, intent, heard } = world;
  const open = isWaiting(payment);
  const found: Step[] = decisions(world);
  if (open && !payment.undone) found.push(['undo', { ...world, payment: { ...payment, undone: true } }]);
  if (open && !payment.isExpired) found.push(['expires', { ...world, payment: { ...payment, isExpired: true } }]);
  for (const replica of REPLICAS) {
    const hears = (one: Intent | undefined) => heard.map((before, index) => (index === replica ? one : before));
    const said = heard[replica];
    if (said) {
      found.push([`writes ${replica}`, { ...world, payment: write(payment, said), heard: hears(undefined) }]);
    } else if (open) {
      const now = isToBeGivenUp(payment) ? cancelled(intent) : intent;
      found.push([`asks ${replica}`, { ...world, intent: now, heard: hears(now) }]);
    }
    if (isUnwanted(payment) && payment.refunded < payment.amount) {
      found.push([`gives back ${replica}`, { ...world, payment: { ...payment, refunded: payment.amount } }]);
    }
  }
  return found;
}

/** All worlds that can be reached, each once, with the ways out of it. */
function explore(first: World): Map<string, { world: World; ways: string[] }> {
  const seen = new Map<string, { world: World; ways: string[] }>();
  const open = [first];
  for (let world = open.pop(); world; world = open.pop()) {
    const id = JSON.stringify(world);
    if (seen.has(id)) continue;
    const next = steps(world);
    seen.set(id, { world, ways: next.map(([, one]) => JSON.stringify(one)) });
    open.push(...next.map(([, one]) => one));
  }
  return seen;
}

describe.each([
  ['its customer', asked],
  ['a bank', processing],
])('R56 a payment that waits for %s', (_, intent) => {
  const seen = explore(begin(intent));
  const ends = [...seen.values()].filter(({ ways }) => ways.length === 0).map(({ world }) => world);

  it('R56 comes to an end in every ordering, and can always still reach one', () => {
    expect(ends.length).toBeGreaterThan(0);
    const reaching = new Set([...seen].filter(([, { ways }]) => ways.length === 0).map(([id]) => id));
    for (let before = -1; before < reaching.size;) {
      before = reaching.size;
      for (const [id, { ways }] of seen) if (ways.some((way) => reaching.has(way))) reaching.add(id);
    }
    expect(reaching.size).toBe(seen.size);
    expect(ends.filter(({ payment }) => payment.status === 'pending')).toEqual([]);
  });

  it('R56 ends as the provider says, and no money is kept that nobody wants', () => {
    for (const { payment, intent: shown, told } of ends) {
      const { status, refunded, amount, undone } = payment;
      const isTaken = shown.status === 'succeeded';
      // What was declined may be given up as well.
      expect({ told, isTaken: status === 'succeeded', kept: isTaken ? amount - refunded : 0 }).toEqual({
        told,
        isTaken,
        kept: isTaken && !undone ? amount : 0,
      });
    }
  });

  it('R56 gives back only what was taken, and only once it is not wanted', () => {
    for (const { world } of seen.values()) {
      const { payment, intent: shown } = world;
      if (payment.refunded > 0) expect([payment.undone, shown.status]).toEqual([true, 'succeeded']);
    }
  });

  it('R56 names the reason of its end', () => {
    const reasons = new Set(ends.map(({ payment }) => `${payment.status} ${payment.declineReason}`));
    const all = ['succeeded null', 'declined refused_by_customer', 'cancelled undone', 'cancelled expired'];
    expect([...reasons].sort()).toEqual(all.sort());
  });
});

describe('R56 what the provider shows', () => {
  const payment = { ...examplePayment({ status: 'pending' }), isExpired: false };

  it.each<[Partial<Standing>, Intent, object | undefined]>([
    [{}, { reference, status: 'unconfirmed' }, undefined],
    [{}, asked, { status: 'pending', waitsFor: 'customer', nextActionUrl: url }],
    [{}, processing, { status: 'pending', waitsFor: 'provider', nextActionUrl: null, undone: false }],
    [{ isExpired: true }, processing, { status: 'pending', waitsFor: 'provider', undone: true }],
    [{}, { reference, status: 'authorized' }, { status: 'authorized', waitsFor: null }],
    [{}, { reference, status: 'cancelled' }, { status: 'cancelled', declineReason: 'cancelled_at_provider' }],
    [{ status: 'authorized' }, asked, undefined],
    [{ status: 'authorized' }, processing, undefined],
    [{ status: 'authorized' }, { reference, status: 'authorized' }, undefined],
    [{ status: 'authorized' }, { reference, status: 'succeeded' }, { status: 'succeeded' }],
    [{ status: 'authorized', undone: true }, { reference, status: 'cancelled' }, { declineReason: 'undone' }],
    [{ status: 'succeeded' }, { reference, status: 'cancelled' }, undefined],
    [{ status: 'declined' }, { reference, status: 'succeeded' }, undefined],
    [{ status: 'cancelled' }, { reference, status: 'succeeded' }, undefined],
  ])('of a payment %j: %j', (changed, shown, expected) => {
    const change = changeBy({ ...payment, ...changed }, shown);
    if (expected === undefined) expect(change).toBeUndefined();
    else expect(change).toMatchObject(expected);
  });
});

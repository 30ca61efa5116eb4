/** What leased work sees of its undo, and what the undo does meanwhile, in both adapters of the ledger. */
import { type Answer, answerWith } from '../answer';
import { Idempotency } from '../idempotency';
import type { Kind } from '../ledger/ledger';
import { type Leased, runOnce } from '../run-once';
import type { CallOutside, Key, Work } from '../settle';
import type { LeasedRun, LeasedWork } from './leased-work';
import { useLedgers } from '../../testing/ledgers';

const ledgers = useLedgers();

const LEASE_MS = 60_000;
const refusal = answerWith(409, 'undone');
let dos = 0;

/** A do and its undo. */
function newPair(): { key: Key; do: Work; undo: Work } {
  const key = { scope: 's', key: `do ${++dos}` };
  const fingerprint = Buffer.alloc(32);
  return {
    key,
    do: { claim: { ...key, fingerprint } },
    undo: { claim: { ...key, key: `${key.key}/undo`, fingerprint }, barrier: { key: key.key, refusal } },
  };
}

describe.each(ledgers)('R4 work in %s', (_, { ledger, store, age }) => {
  /** A replica whose work is the given code. */
  function open(run: LeasedRun<null, Kind>, name = 'charge') {
    const { works } = new Idempotency<Kind>(store(), ledger, { leaseMs: LEASE_MS });
    works.define<null>(name, run);
    return works;
  }
  /** A do is begun, and an undo is answered. */
  const take = (works: readonly Work[], name = 'charge') =>
    runOnce<null, Answer | CallOutside, Kind>(
      store(),
      ledger,
      works,
      {
        load: async () => null,
        decide: (__, index) => (works[index]!.barrier ? answerWith(200, 'taken back') : { leased: name, input: null }),
        save: () => undefined,
      },
      { leaseMs: LEASE_MS },
    );
  const begin = async (work: Work, name?: string) => (await take([work], name))[0] as Leased;
  const ask = async (work: Work) => (await take([work]))[0]!;
  const waiting = { kind: 'in-use', waitsForDo: true };
  const end = (work: LeasedWork<Kind>) => work.finish(() => answerWith(200, 'charged'));
  const saveNothing = () => undefined;

  it('R4 knows of an undo that came before the attempt began, in the same batch', async () => {
    const seen: boolean[] = [];
    const works = open((work) => {
      seen.push(work.undone);
      return end(work);
    });
    const [early, other] = [newPair(), newPair()];
    const [first, second, third] = await take([early.do, other.do, early.undo]);
    expect(third).toEqual(waiting);
    await works.carryOut(first as Leased);
    await works.carryOut(second as Leased);
    expect(seen).toEqual([true, false]);
  });

  it('R4 knows of it also in a later attempt, when the first one died', async () => {
    const seen: boolean[] = [];
    const works = open((work) => {
      seen.push(work.undone);
      return end(work);
    });
    const pair = newPair();
    await take([pair.do, pair.undo]);
    await age(pair.key, 2 * LEASE_MS);
    expect(await works.resume(pair.key)).toMatchObject({ kind: 'fresh', resumed: true });
    expect(seen).toEqual([true]);
  });

  it.each<[string, (work: LeasedWork<Kind>) => Promise<unknown>]>([
    ['reach', (work) => work.reach('point', async () => 1)],
    [
      'call',
      (work) =>
        work.call(
          'point',
          async () => 1,
          async () => 1,
        ),
    ],
    ['reachWith', (work) => work.reachWith('point', saveNothing, 1)],
    [
      'callWith',
      (work) =>
        work.callWith(
          'point',
          async () => 1,
          saveNothing,
          () => 1,
        ),
    ],
  ])('R4 knows of an undo that came meanwhile behind the next point, by %s, and stays told', async (__, step) => {
    const pair = newPair();
    const seen: boolean[] = [];
    const works = open(async (work) => {
      seen.push(work.undone);
      await work.reach('before', async () => 1);
      seen.push(work.undone);
      expect(await ask(pair.undo)).toEqual(waiting);
      seen.push(work.undone);
      await step(work);
      seen.push(work.undone);
      await work.reach('after', async () => 1);
      seen.push(work.undone);
      return end(work);
    });
    const outcome = await works.carryOut(await begin(pair.do));
    expect(seen).toEqual([false, false, false, true, true]);
    // Its end is one like any other, and the undo is decided then.
    expect(outcome).toMatchObject({ kind: 'fresh', answer: { body: '"charged"' } });
    expect(await ask(pair.do)).toMatchObject({ kind: 'replayed', answer: { body: '"charged"' } });
    expect(await ask(pair.undo)).toMatchObject({ kind: 'fresh', answer: { body: '"taken back"' } });
  });

  it('R4 knows of an undo that came between two attempts, at the start of the second', async () => {
    const pair = newPair();
    const seen: [attempt: number, undone: boolean][] = [];
    const works = open(async (work) => {
      seen.push([work.attempt, work.undone]);
      if (work.attempt === 1) throw new Error('the line is dead');
      return end(work);
    });
    await expect(works.carryOut(await begin(pair.do))).rejects.toThrow('the line is dead');
    // The undo that finds it left marks it, and then takes it over itself.
    const outcome = await ask(pair.undo);
    expect(outcome).toEqual({ ...waiting, left: pair.key });
    expect(await works.resume(pair.key)).toMatchObject({ kind: 'fresh', resumed: true });
    expect(seen).toEqual([
      [1, false],
      [2, true],
    ]);
    expect(await ask(pair.undo)).toMatchObject({ kind: 'fresh' });
  });

  it('R4 knows of it also when the completer takes it over', async () => {
    const pair = newPair();
    const name = `charge of ${pair.key.key}`;
    const seen: [attempt: number, undone: boolean][] = [];
    const works = open((work) => {
      seen.push([work.attempt, work.undone]);
      return end(work);
    }, name);
    await begin(pair.do, name);
    expect(await ask(pair.undo)).toEqual(waiting);
    await age(pair.key, 2 * LEASE_MS);
    expect(await works.resumeOverdue()).toBe(1);
    expect(seen).toEqual([[2, true]]);
    expect(await ask(pair.undo)).toMatchObject({ kind: 'fresh' });
  });

  it('R4 whose answer is not kept takes its mark with it, and an undo bars it then', async () => {
    const pair = newPair();
    const works = open(async (work) => {
      expect(await ask(pair.undo)).toEqual(waiting);
      return work.finishWith({ ...answerWith(200, 'waiting'), kept: false }, saveNothing, null);
    });
    expect(await works.carryOut(await begin(pair.do))).toMatchObject({ kind: 'fresh', answer: { body: '"waiting"' } });
    expect(await ask(pair.undo)).toMatchObject({ kind: 'fresh', answer: { body: '"taken back"' } });
    expect(await ask(pair.do)).toMatchObject({ kind: 'replayed', answer: refusal });
  });

  it('R4 that ends while its undo comes is undone after its end, whichever of the two was first', async () => {
    for (let round = 0; round < 20; round++) {
      const pair = newPair();
      const works = open(end);
      const begun = await begin(pair.do);
      const [outcome, raced] = await Promise.all([works.carryOut(begun), ask(pair.undo)]);
      expect(outcome).toMatchObject({ kind: 'fresh', answer: { body: '"charged"' } });
      if (raced.kind === 'in-use') expect(raced).toEqual(waiting);
      const last = await ask(pair.undo);
      expect(last).toMatchObject({ kind: raced.kind === 'in-use' ? 'fresh' : 'replayed' });
      expect(await ask(pair.do)).toMatchObject({ kind: 'replayed', answer: { body: '"charged"' } });
    }
  });
});

import fc from 'fast-check';
import type { Answer } from './answer';
import {
  type Begun,
  type CallOutside,
  type Entry,
  idOf,
  type Key,
  type Outcome,
  repeatOf,
  settle,
  type Work,
} from './settle';

const fingerprint = (asked: string) => Buffer.alloc(32, asked);
const answer = (body: string, status = 200): Answer => ({ status, body });
const claim = (key: string, asked = 'x', scope = 's') => ({ scope, key, fingerprint: fingerprint(asked) });
const refusal = answer('undone', 409);
const undoOf = (key: string, asked = 'x'): Work => ({ claim: claim(`${key}/undo`, asked), barrier: { key, refusal } });
const tell = (outcomes: (Outcome | Begun)[]) =>
  outcomes.map((outcome) => ('answer' in outcome ? `${outcome.kind} ${outcome.answer.body}` : outcome.kind));

/** Settles the works. Each answer is the number of its performance, so the answers can be told apart. */
function run(known: readonly Entry[], works: readonly Work[]) {
  const performed: number[] = [];
  const settlement = settle(known, works, (index) => {
    performed.push(index);
    return answer(`#${index}`);
  });
  return { ...settlement, performed };
}

describe('R12 settle', () => {
  it('R12 performs what is new and repeats the answer of what is known', () => {
    const { outcomes, completed, performed } = run(
      [],
      [{ claim: claim('a') }, { claim: claim('b') }, { claim: claim('a') }],
    );
    expect(tell(outcomes)).toEqual(['fresh #0', 'fresh #1', 'replayed #0']);
    expect(performed).toEqual([0, 1]);
    expect(completed.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('R14 refuses another request under a used key, also within one batch', () => {
    const { outcomes, performed } = run([], [{ claim: claim('a') }, { claim: claim('a', 'y') }]);
    expect(tell(outcomes)).toEqual(['fresh #0', 'reused']);
    expect(performed).toEqual([0]);
  });

  it('R15 takes the same key in another scope for another key', () => {
    const { outcomes } = run([], [{ claim: claim('a') }, { claim: claim('a', 'y', 'other') }]);
    expect(tell(outcomes)).toEqual(['fresh #0', 'fresh #1']);
  });

  it('R15 keeps scope and key apart, whatever they look like', () => {
    const { outcomes } = run([], [{ claim: claim('bc', 'x', 'a') }, { claim: claim('c', 'x', 'ab') }]);
    expect(tell(outcomes)).toEqual(['fresh #0', 'fresh #1']);
  });

  it('R16 tells that work is under way elsewhere, and that a used key is used even then', () => {
    const pending: Entry = { ...claim('a'), status: 'pending', leaseExpired: false };
    expect(repeatOf(pending, fingerprint('x'))).toEqual({ kind: 'in-use' });
    expect(repeatOf(pending, fingerprint('y'))).toEqual({ kind: 'reused' });
  });

  it('R19 answers what holds only now without keeping it, so the same key may come again', () => {
    const passing = { ...answer('not now', 409), kept: false };
    const { outcomes, completed } = settle([], [{ claim: claim('a') }, { claim: claim('a', 'y') }], (index) =>
      index === 0 ? passing : answer('done'),
    );
    expect(tell(outcomes)).toEqual(['fresh not now', 'fresh done']);
    expect(completed).toEqual([{ ...claim('a', 'y'), status: 'completed', answer: answer('done') }]);
  });

  it('R3 records an undo without its do, and refuses the do that comes later', () => {
    const { outcomes, completed } = run([], [undoOf('do'), { claim: claim('do') }, { claim: claim('do', 'y') }]);
    expect(tell(outcomes)).toEqual(['fresh #0', 'replayed undone', 'replayed undone']);
    expect(completed.map(({ key, fingerprint }) => [key, fingerprint === null])).toEqual([
      ['do', true],
      ['do/undo', false],
    ]);
  });

  it('R3 leaves no tombstone behind a do that was done', () => {
    const { outcomes, completed } = run([], [{ claim: claim('do') }, undoOf('do'), undoOf('do')]);
    expect(tell(outcomes)).toEqual(['fresh #0', 'fresh #1', 'replayed #1']);
    expect(completed.map(({ key }) => key)).toEqual(['do', 'do/undo']);
  });
});

describe('R18 settle, where a work calls outside', () => {
  const outside: CallOutside = { leased: 'cook', input: { dish: 'soup' } };
  const begin = (known: readonly Entry[], works: readonly Work[]) =>
    settle<Answer | CallOutside>(known, works, () => outside);

  it('R18 only begins it, and writes no answer for it', () => {
    expect(begin([], [{ claim: claim('a') }])).toEqual({
      outcomes: [{ kind: 'begun', claim: claim('a'), call: outside }],
      completed: [],
      marks: [],
    });
  });

  it('R16 finds a repeat behind it in the same batch in use, and its key used', () => {
    const { outcomes } = begin([], [{ claim: claim('a') }, { claim: claim('a') }, { claim: claim('a', 'y') }]);
    expect(outcomes.slice(1)).toEqual([{ kind: 'in-use' }, { kind: 'reused' }]);
  });

  it('R3 does not undo it behind it in the same batch: somebody works on it, and is told that it is undone', () => {
    const { outcomes, completed, marks } = begin([], [{ claim: claim('do') }, undoOf('do')]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['begun', 'in-use']);
    expect(outcomes[1]).toEqual({ kind: 'in-use', waitsForDo: true });
    expect([completed, marks]).toEqual([[], [{ scope: 's', key: 'do' }]]);
  });

  it.each([
    [false, { kind: 'in-use', waitsForDo: true }],
    [true, { kind: 'in-use', waitsForDo: true, left: { scope: 's', key: 'do' } }],
  ])(
    'R3 does not undo a do that is pending, with its lease run out: %p, and bars nothing',
    (leaseExpired, expected) => {
      const pending: Entry = { ...claim('do'), status: 'pending', leaseExpired };
      const { outcomes, completed, performed } = run([pending], [undoOf('do'), { claim: claim('other') }]);
      expect(outcomes[0]).toEqual(expected);
      expect(performed).toEqual([1]);
      expect(completed.map(({ key }) => key)).toEqual(['other']);
    },
  );

  it('R4 marks a pending do once, however many undos of it come', () => {
    const pending: Entry = { ...claim('do'), status: 'pending', leaseExpired: false };
    const second: Work = { ...undoOf('do'), claim: claim('another undo') };
    expect(run([pending], [undoOf('do'), undoOf('do'), second]).marks).toEqual([{ scope: 's', key: 'do' }]);
  });

  const dos: Record<string, Entry | undefined> = {
    'never came': undefined,
    'is done': { ...claim('do'), status: 'completed', answer: answer('done') },
    'was barred': { ...claim('do'), fingerprint: null, status: 'completed', answer: refusal },
    'is erased': { ...claim('do'), fingerprint: null, status: 'erased' },
    'is pending': { ...claim('do'), status: 'pending', leaseExpired: false },
    'was left': { ...claim('do'), status: 'pending', leaseExpired: true },
  };
  const undos: Record<string, Entry | undefined> = {
    'is new': undefined,
    'is done': { ...claim('do/undo'), status: 'completed', answer: answer('undone') },
    'is erased': { ...claim('do/undo'), fingerprint: null, status: 'erased' },
    'is pending': { ...claim('do/undo'), status: 'pending', leaseExpired: false },
    'was left': { ...claim('do/undo'), status: 'pending', leaseExpired: true },
    'was another': { ...claim('do/undo', 'y'), status: 'pending', leaseExpired: true },
  };
  const pairs = Object.keys(dos).flatMap((done) => Object.keys(undos).map((undo) => [done, undo] as const));

  it.each(pairs)(
    'R4 marks a do that %s by an undo that %s only if the one is pending and the other is new',
    (...pair) => {
      const [done, undo] = [dos[pair[0]], undos[pair[1]]];
      const { outcomes, marks } = run([...(done ? [done] : []), ...(undo ? [undo] : [])], [undoOf('do')]);
      const isMarked = done?.status === 'pending' && !undo;
      expect(marks).toEqual(isMarked ? [{ scope: 's', key: 'do' }] : []);
      expect('waitsForDo' in outcomes[0]!).toBe(isMarked);
      if (undo) expect(outcomes).toEqual([repeatOf(undo, fingerprint('x'))]);
      else if (!isMarked) expect(tell(outcomes)).toEqual(['fresh #0']);
    },
  );

  it('R18 names its own key when nobody works on it any more', () => {
    const pending: Entry = { ...claim('a'), status: 'pending', leaseExpired: true };
    expect(repeatOf(pending, fingerprint('x'))).toEqual({ kind: 'in-use', left: { scope: 's', key: 'a' } });
    expect(repeatOf(pending, fingerprint('y'))).toEqual({ kind: 'reused' });
  });

  it('R3 bars the do of an undo that calls outside itself', () => {
    const { outcomes, completed } = begin([], [undoOf('do'), { claim: claim('do') }]);
    expect(tell(outcomes)).toEqual(['begun', 'replayed undone']);
    expect(completed.map(({ key, fingerprint }) => [key, fingerprint])).toEqual([['do', null]]);
  });
});

describe('R3 a batch', () => {
  const keys = ['p', 'q'];
  const work = fc
    .record({
      key: fc.constantFrom(...keys),
      asked: fc.constantFrom('x', 'y'),
      undo: fc.boolean(),
      outside: fc.boolean(),
    })
    .map(({ key, asked, undo, outside }) => {
      const one: Work = undo ? undoOf(key, asked) : { claim: claim(key, asked) };
      return { ...one, outside };
    });
  const batches = fc.array(work, { maxLength: 12 });
  type Batch = readonly (Work & { outside: boolean })[];

  /** Each answer and each outside call contains the place in the whole batch at which it was decided. */
  function settleAll(known: readonly Entry[], works: Batch, from = 0) {
    const performed: number[] = [];
    const { outcomes, completed, marks } = settle<Answer | CallOutside>(known, works, (index) => {
      performed.push(index);
      return works[index]!.outside ? { leased: 'cook', input: from + index } : answer(`#${from + index}`);
    });
    const begun = outcomes.flatMap((outcome): Entry[] =>
      outcome.kind === 'begun' ? [{ ...outcome.claim, status: 'pending', leaseExpired: false }] : [],
    );
    return { outcomes, completed, performed, begun, marks };
  }

  it('R3 comes out as if its works had arrived alone, one after the other', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const together = settleAll([], works);
        const written: Entry[] = [];
        const pending: Entry[] = [];
        const marked = new Map<string, Key>();
        const alone = works.map((one, index) => {
          const { outcomes, completed, begun, marks } = settleAll([...written, ...pending], [one], index);
          for (const key of marks) marked.set(idOf(key), key);
          written.push(...completed);
          pending.push(...begun);
          return outcomes[0]!;
        });
        expect(together.outcomes).toEqual(alone);
        expect(together.completed).toEqual(written);
        expect(together.begun).toEqual(pending);
        expect(together.marks).toEqual([...marked.values()]);
      }),
    );
  });

  it('R3 comes out the same wherever it is cut in two', () => {
    fc.assert(
      fc.property(batches, fc.nat(12), (works, at) => {
        const whole = settleAll([], works);
        const first = settleAll([], works.slice(0, at));
        const rest = settleAll([...first.completed, ...first.begun], works.slice(at), Math.min(at, works.length));
        expect([...first.outcomes, ...rest.outcomes]).toEqual(whole.outcomes);
        expect([...first.completed, ...rest.completed]).toEqual(whole.completed);
        expect([...first.begun, ...rest.begun]).toEqual(whole.begun);
      }),
    );
  });

  it('R12 performs each key at most once, and writes no key twice', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { performed, completed, begun } = settleAll([], works);
        const done = performed.map((index) => works[index]!.claim.key);
        const written = [...completed, ...begun].map(({ key }) => key);
        expect(new Set(done).size).toBe(done.length);
        expect(new Set(written).size).toBe(written.length);
      }),
    );
  });

  it('R3 never performs a do behind its undo', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { performed } = settleAll([], works);
        for (const key of keys) {
          const undoneAt = performed.find((index) => works[index]!.barrier?.key === key) ?? Infinity;
          const doneAt = performed.find((index) => works[index]!.claim.key === key) ?? -1;
          expect(doneAt).toBeLessThan(undoneAt);
        }
      }),
    );
  });

  it('R4 marks what it begins exactly where an undo of it waits', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { outcomes, begun, marks } = settleAll([], works);
        const waiting = works.filter((_, index) => 'waitsForDo' in outcomes[index]!);
        expect(new Set(marks.map(({ key }) => key))).toEqual(new Set(waiting.map(({ barrier }) => barrier!.key)));
        expect(begun.map(({ key }) => key)).toEqual(expect.arrayContaining(marks.map(({ key }) => key)));
      }),
    );
  });

  it('R3 never performs an undo behind a do that is only begun', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { outcomes, performed } = settleAll([], works);
        for (const [index, outcome] of outcomes.entries()) {
          if (outcome.kind !== 'begun') continue;
          const undone = performed.filter((at) => at > index && works[at]!.barrier?.key === outcome.claim.key);
          expect(undone).toEqual([]);
        }
      }),
    );
  });
});

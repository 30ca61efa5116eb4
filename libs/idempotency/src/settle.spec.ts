import fc from 'fast-check';
import type { Answer } from './answer';
import { type Entry, type Outcome, repeatOf, settle, type Work } from './settle';

const fingerprint = (asked: string) => Buffer.alloc(32, asked);
const answer = (body: string, status = 200): Answer => ({ status, body });
const claim = (key: string, asked = 'x', scope = 's') => ({ scope, key, fingerprint: fingerprint(asked) });
const refusal = answer('undone', 409);
const undoOf = (key: string, asked = 'x'): Work => ({ claim: claim(`${key}/undo`, asked), barrier: { key, refusal } });
const tell = (outcomes: Outcome[]) =>
  outcomes.map((outcome) => ('answer' in outcome ? `${outcome.kind} ${outcome.answer.body}` : outcome.kind));

/** Settles the works with answers that tell them apart: the number of the performance. */
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

describe('R3 a batch', () => {
  const keys = ['p', 'q'];
  const work = fc
    .record({ key: fc.constantFrom(...keys), asked: fc.constantFrom('x', 'y'), undo: fc.boolean() })
    .map(({ key, asked, undo }): Work => (undo ? undoOf(key, asked) : { claim: claim(key, asked) }));
  const batches = fc.array(work, { maxLength: 12 });

  it('R3 comes out as if its works had arrived alone, one after the other', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const together = run([], works);
        const ledger: Entry[] = [];
        const alone = works.map((one, index) => {
          const { outcomes, completed } = settle([...ledger], [one], () => answer(`#${index}`));
          ledger.push(...completed);
          return outcomes[0]!;
        });
        expect(together.outcomes).toEqual(alone);
        expect(together.completed).toEqual(ledger);
      }),
    );
  });

  it('R3 comes out the same wherever it is cut in two', () => {
    fc.assert(
      fc.property(batches, fc.nat(12), (works, at) => {
        const whole = settle([], works, (index) => answer(`#${index}`));
        const first = settle([], works.slice(0, at), (index) => answer(`#${index}`));
        const rest = settle(first.completed, works.slice(at), (index) => answer(`#${index + at}`));
        expect([...first.outcomes, ...rest.outcomes]).toEqual(whole.outcomes);
        expect([...first.completed, ...rest.completed]).toEqual(whole.completed);
      }),
    );
  });

  it('R12 performs each key at most once, and writes no key twice', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { performed, completed } = run([], works);
        const done = performed.map((index) => works[index]!.claim.key);
        const written = completed.map(({ key }) => key);
        expect(new Set(done).size).toBe(done.length);
        expect(new Set(written).size).toBe(written.length);
      }),
    );
  });

  it('R3 never performs a do behind its undo', () => {
    fc.assert(
      fc.property(batches, (works) => {
        const { performed } = run([], works);
        for (const key of keys) {
          const undoneAt = performed.find((index) => works[index]!.barrier?.key === key) ?? Infinity;
          const doneAt = performed.find((index) => works[index]!.claim.key === key) ?? -1;
          expect(doneAt).toBeLessThan(undoneAt);
        }
      }),
    );
  });
});

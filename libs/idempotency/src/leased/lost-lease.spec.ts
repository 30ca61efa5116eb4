/** The answer of an owner whose work fails after somebody else has taken it over. */
import { answerWith } from '../answer';
import { Idempotency } from '../idempotency';
import type { LeasedRun } from './leased-work';
import { MemoryLedger } from '../ledger/memory-ledger';
import { type Memory, MemoryStore } from '../ledger/memory-store';

const claim = { scope: 'acme|olga|POST /things', key: 'one', fingerprint: Buffer.alloc(32) };

describe('R18 an owner that was overtaken', () => {
  it('R18 answers that the work is in use when it fails, since it may have met what its heir wrote', async () => {
    let now = 0;
    const store = new MemoryStore();
    const replica = (run: LeasedRun<null, Memory>) => {
      const idempotency = new Idempotency<Memory>(store, new MemoryLedger(() => now), { leaseMs: 60_000 });
      return idempotency.leased<null>('thing', run);
    };
    const heir = replica((work) => work.finish(() => answerWith(201, 'done')));
    const inherited: unknown[] = [];
    const asleep = replica(async () => {
      now += 60_001;
      inherited.push(await heir(claim, null));
      throw new Error('there is a thing already');
    });
    expect(await asleep(claim, null)).toEqual({ kind: 'in-use' });
    expect(inherited).toMatchObject([{ kind: 'fresh', resumed: true }]);
    expect(await asleep(claim, null)).toMatchObject({ kind: 'replayed', answer: { body: '"done"' } });
  });

  it('R19 R18 answers that the outcome is unknown while the work is still its own, and the key goes on', async () => {
    const store = new MemoryStore();
    let tries = 0;
    const perform = new Idempotency<Memory>(store, new MemoryLedger()).leased<null>('thing', async (work) => {
      if (++tries === 1) throw new Error('the line is dead');
      return work.finish(() => answerWith(201, 'done'));
    });
    await expect(perform(claim, null)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await perform(claim, null)).toMatchObject({ kind: 'fresh', resumed: true });
  });

  it('R19 R18 tells so also the one who waits for the answer, and goes on with what was left meanwhile', async () => {
    const store = new MemoryStore();
    const idempotency = new Idempotency<Memory>(store, new MemoryLedger());
    const perform = idempotency.leased<null>('thing', async () => {
      throw new Error('the line is dead');
    });
    await expect(perform(claim, null)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(idempotency.awaitAnswer(claim)).rejects.toMatchObject({ code: 'outcome_unknown' });
  });
});

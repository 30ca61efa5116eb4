/** Marks on pending work, and points that many works reach at once, in both adapters of the ledger. */
import { type Lease, LeaseLostError, newLeaseToken } from './lease';
import type { Held, Kind, LeasedClaim } from './ledger';
import type { Answer } from '../answer';
import type { Key } from '../settle';
import { useLedgers } from '../../testing/ledgers';

const ledgers = useLedgers();

const lease: Lease = { owner: 'me', durationMs: 60_000 };
const answer: Answer = { status: 200, body: '"done"' };
let keys = 0;
const newLeased = (work = 'cook'): LeasedClaim => ({
  scope: 's',
  key: `k${++keys}`,
  fingerprint: Buffer.alloc(32),
  token: newLeaseToken(),
  work,
  input: null,
});
const keyOf = ({ scope, key }: Key): Key => ({ scope, key });
const heldOf = ({ token, ...key }: Held): Held => ({ ...keyOf(key), token });

describe.each(ledgers)('R4 the ledger in %s', (_, { ledger, store, age }) => {
  const run = <T>(work: (tx: Kind['tx']) => Promise<T>): Promise<T> => store().transaction(work);
  const begin = (...claims: LeasedClaim[]) => run(async (tx) => ledger.lease(tx, claims, lease));
  const mark = (...marked: Key[]) => run(async (tx) => ledger.mark(tx, marked.map(keyOf)));
  const complete = (held: Held) => run((tx) => ledger.complete(tx, [{ ...heldOf(held), answer }]));
  const reach = (point: string, ...held: Held[]) =>
    run((tx) =>
      ledger.savePoints(
        tx,
        held.map((one) => ({ ...heldOf(one), point, result: { of: one.key } })),
      ),
    );
  const resume = (key: Key) => run((tx) => ledger.resume(tx, keyOf(key), ['cook'], lease));
  const leave = (key: Key) => age(keyOf(key), 100);

  it('R4 tells the owner of marked work at its next point, and nobody else', async () => {
    const [mine, other] = [newLeased(), newLeased()];
    await begin(mine, other);
    expect(await reach('first', mine, other)).toEqual(new Set());
    await mark(mine);
    expect(await reach('second', mine, other)).toEqual(new Set([mine.token]));
    await mark(mine, other);
    expect(await reach('third', other, mine)).toEqual(new Set([mine.token, other.token]));
  });

  it('R4 tells whoever takes marked work over, each time', async () => {
    const [marked, plain] = [newLeased(), newLeased()];
    await begin(marked, plain);
    await mark(marked);
    for (const claim of [marked, plain]) await leave(claim);
    expect(await resume(marked)).toMatchObject({ attempt: 2, undone: true });
    expect(await resume(plain)).toMatchObject({ attempt: 2, undone: false });
    await leave(marked);
    expect(await resume(marked)).toMatchObject({ attempt: 3, undone: true });
  });

  it('R4 tells a completer', async () => {
    const work = `roast ${++keys}`;
    const [marked, plain] = [newLeased(work), newLeased(work)];
    await begin(marked, plain);
    await mark(marked);
    for (const claim of [marked, plain]) await leave(claim);
    const taken = await run((tx) => ledger.resumeOverdue(tx, [work], lease, 10));
    expect(new Map(taken.map(({ key, undone }) => [key, undone]))).toEqual(
      new Map([
        [marked.key, true],
        [plain.key, false],
      ]),
    );
  });

  it('R4 leaves a marked row pending, under the same lease', async () => {
    const claim = newLeased();
    await begin(claim);
    const before = await ledger.find(store(), [claim]);
    await mark(claim);
    expect(await ledger.find(store(), [claim])).toEqual(before);
    expect(await resume(claim)).toBeUndefined();
    await complete(claim);
    expect(await ledger.find(store(), [claim])).toMatchObject([{ status: 'completed', answer }]);
  });

  it('R4 marks nothing that is done, erased, forgotten or unknown, beside what is pending', async () => {
    const [done, forgotten, pending, unknown] = [newLeased(), newLeased(), newLeased(), newLeased()];
    await begin(done, forgotten, pending);
    await complete(done);
    await run((tx) => ledger.forget(tx, heldOf(forgotten)));
    const before = await ledger.find(store(), [done, forgotten, unknown]);
    await mark(done, forgotten, pending, unknown);
    expect(await ledger.find(store(), [done, forgotten, unknown])).toEqual(before);
    expect(await reach('point', pending)).toEqual(new Set([pending.token]));
    // The key that was free begins without a mark.
    await begin(forgotten);
    expect(await reach('point', forgotten)).toEqual(new Set());
  });

  it('R4 marks what the same transaction has claimed', async () => {
    const claim = newLeased();
    await run(async (tx) => {
      ledger.lease(tx, [claim], lease);
      ledger.mark(tx, [keyOf(claim)]);
    });
    expect(await reach('point', claim)).toEqual(new Set([claim.token]));
  });

  it('R4 keeps no mark of a transaction that fails', async () => {
    const claim = newLeased();
    await begin(claim);
    const failing = run(async (tx) => {
      ledger.mark(tx, [keyOf(claim)]);
      throw new Error('too bad');
    });
    await expect(failing).rejects.toThrow('too bad');
    expect(await reach('point', claim)).toEqual(new Set());
  });

  it('R18 keeps the points of many works, each with its own result, whatever JSON it is', async () => {
    const results: unknown[] = [{ price: 5, of: ['a', null] }, 'text', 7, true, null, undefined];
    const claims = results.map(() => newLeased());
    await begin(...claims);
    await reach('earlier', claims[0]!);
    const reached = claims.map((claim, index) => ({ ...heldOf(claim), point: 'bought', result: results[index] }));
    await run((tx) => ledger.savePoints(tx, reached));
    for (const [index, claim] of claims.entries()) {
      await leave(claim);
      const earlier = index === 0 ? { earlier: { of: claim.key } } : {};
      expect((await resume(claim))!.points).toEqual({ ...earlier, bought: results[index] ?? null });
    }
  });

  it('R18 keeps all of such points or none: a lost lease fails the transaction, and is named', async () => {
    const [mine, lost] = [newLeased(), newLeased()];
    await begin(mine, lost);
    await leave(lost);
    await resume(lost);
    const failing = reach('bought', mine, lost);
    await expect(failing).rejects.toBeInstanceOf(LeaseLostError);
    await expect(failing).rejects.toThrow(lost.key);
    await reach('paid', mine);
    await leave(mine);
    expect((await resume(mine))!.points).toEqual({ paid: { of: mine.key } });
  });
});

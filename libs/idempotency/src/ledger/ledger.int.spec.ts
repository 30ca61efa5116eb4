import { type Lease, LeaseLostError, newLeaseToken } from './lease';
import type { Held, Kind, LeasedClaim, Stretch } from './ledger';
import type { Answer } from '../answer';
import { type Claim, type Key, repeatOf } from '../settle';
import { useLedgers } from '../../testing/ledgers';

const ledgers = useLedgers();
let keys = 0;

const HOUR_SECONDS = 3_600;
const newClaim = (asked = 'x'): Claim => ({ scope: 's', key: `k${++keys}`, fingerprint: Buffer.alloc(32, asked) });
/** A claim of work that makes an outside call, under its own lease. */
const newLeased = (work = 'cook', claim: Claim = newClaim()): LeasedClaim => ({
  ...claim,
  token: newLeaseToken(),
  work,
  input: { dish: 'soup' },
});
const lease: Lease = { owner: 'me', durationMs: 60_000 };
const heldOf = ({ scope, key, token }: Held): Held => ({ scope, key, token });
const answer: Answer = { status: 201, headers: { location: '/things/1' }, body: '{ "id":  1 }' };

describe.each(ledgers)('R23 the ledger in %s', (_, { ledger, store, age: ageBy }) => {
  const run = <T>(work: (tx: Kind['tx']) => Promise<T>): Promise<T> => store().transaction(work);
  const find = async ({ scope, key }: Key) => (await ledger.find(store(), [{ scope, key }]))[0];
  const record = (claim: Claim, given = answer) =>
    run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer: given }]));
  const begin = (...claims: LeasedClaim[]) => run(async (tx) => ledger.lease(tx, claims, lease));
  const resume = ({ scope, key }: Key, works = ['cook']) =>
    run((tx) => ledger.resume(tx, { scope, key }, works, lease));
  const complete = (...held: Held[]) =>
    run((tx) =>
      ledger.complete(
        tx,
        held.map((one) => ({ ...heldOf(one), answer })),
      ),
    );
  const savePoint = (held: Held, name: string, result: unknown) =>
    run((tx) => ledger.savePoints(tx, [{ ...heldOf(held), point: name, result }]));
  const forget = (held: Held) => run((tx) => ledger.forget(tx, heldOf(held)));
  const age = (key: Key) => ageBy(key, 61);
  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
  /** All stretches of one walk. */
  const walk = async (stretch: (start: number) => Promise<Stretch>) => {
    let sum = 0;
    let start = 0;
    do {
      const { changed, next } = await stretch(start);
      sum += changed;
      start = next;
    } while (start > 0);
    return sum;
  };

  it('R12 keeps status, headers and body byte for byte', async () => {
    const claim = newClaim();
    await record(claim);
    expect(await find(claim)).toEqual({ ...claim, status: 'completed', answer });
  });

  it('R12 keeps an answer without headers, and a tombstone without a fingerprint', async () => {
    const [plain, tombstone] = [newClaim(), newClaim()];
    const bare = { status: 409, body: '{}' };
    await run(async (tx) =>
      ledger.record(tx, [
        { ...plain, status: 'completed', answer: bare },
        { ...tombstone, fingerprint: null, status: 'completed', answer: bare },
      ]),
    );
    expect(await find(plain)).toEqual({ ...plain, status: 'completed', answer: bare });
    const entry = (await find(tombstone))!;
    expect(repeatOf(entry, Buffer.alloc(32, 'anything'))).toEqual({ kind: 'replayed', answer: bare });
  });

  it('R15 keeps one key in two scopes apart', async () => {
    const claim = newClaim();
    await record(claim);
    expect(await find({ ...claim, scope: 'another' })).toBeUndefined();
    await record({ ...claim, scope: 'another' });
  });

  it('R16 lets one of two transactions write a key; the other one has lost a race', async () => {
    const claim = newClaim();
    const results = await Promise.allSettled([record(claim), record(claim), begin(newLeased('cook', claim))]);
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost.map(({ reason }) => ledger.isLostRace(reason))).toEqual([true, true]);
  });

  it('R16 does not deadlock when two transactions write the same keys in opposite order', async () => {
    const claims = Array.from({ length: 50 }, () => newClaim());
    const entries = claims.map((claim) => ({ ...claim, status: 'completed', answer }) as const);
    let runs = 0;
    const write = (all: typeof entries) =>
      run(async (tx) => {
        runs++;
        ledger.record(tx, all);
      });
    const results = await Promise.allSettled([write(entries), write([...entries].reverse())]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    // After a deadlock, there would be one more run.
    expect(runs).toBe(2);
  });

  it('R20 keeps an answer for 72 hours after its completion, or as long as its claim says', async () => {
    const [usual, short, leased] = [newClaim(), newClaim(), newLeased()];
    await record(usual);
    await run(async (tx) => ledger.record(tx, [{ ...short, status: 'completed', answer, retentionHours: 24 }]));
    await begin(leased);
    await run((tx) => ledger.complete(tx, [{ ...heldOf(leased), answer, retentionHours: 48 }]));
    const states = await ledger.describe(store(), [usual, short, leased]);
    const hours = states.map(
      ({ completedAt, expiresAt }) => (Date.parse(expiresAt!) - Date.parse(completedAt!)) / 3.6e6,
    );
    expect(hours).toEqual([72, 24, 48]);
  });

  it('R24 tells the state of a key: under way, completed with its status, or erased', async () => {
    const claim = newLeased();
    const state = async () => (await ledger.describe(store(), [{ scope: claim.scope, key: claim.key }]))[0]!;
    await begin(claim);
    expect(await state()).toEqual({ scope: 's', key: claim.key, state: 'processing', createdAt: expect.any(String) });
    await complete(claim);
    expect(await state()).toMatchObject({ state: 'completed', answerStatus: 201 });
    await walk((start) => ledger.erase(store(), 's', start));
    expect(await state()).toMatchObject({ state: 'erased', expiresAt: expect.any(String) });
    expect(await ledger.describe(store(), [newClaim()])).toEqual([]);
  });

  it('R20 is reaped of what has expired, whatever its age, and never of a pending row', async () => {
    const [expired, young, pending, erased] = [newClaim(), newClaim(), newClaim(), newClaim()];
    for (const claim of [expired, young, erased]) await record({ ...claim, scope: 'reap' });
    await walk((start) => ledger.erase(store(), 'reap', start));
    await record({ ...pending, key: 'twin', scope: 'reap' });
    await begin({ ...newLeased(), key: pending.key, scope: 'reap' });
    for (const { key } of [expired, erased]) await ageBy({ scope: 'reap', key }, 73 * HOUR_SECONDS);
    await ageBy({ scope: 'reap', key: pending.key }, 1_000 * HOUR_SECONDS);
    expect(await walk((start) => ledger.reap(store(), start))).toBe(2);
    const left = await ledger.find(
      store(),
      [expired, young, pending, erased].map(({ key }) => ({ scope: 'reap', key })),
    );
    expect(left.map(({ key, status }) => `${key} ${status}`).sort()).toEqual(
      [`${young.key} erased`, `${pending.key} pending`].sort(),
    );
    expect(await walk((start) => ledger.reap(store(), start))).toBe(0);
  });

  it('R26 erases what was answered in the scopes of one tenant; the keys stay used', async () => {
    const [mine, theirs, underWay] = [newClaim(), newClaim(), newClaim()];
    await record({ ...mine, scope: 't1|a|POST /x' });
    await record({ ...theirs, scope: 't11|a|POST /x' });
    await begin({ ...newLeased('cook', underWay), scope: 't1|a|POST /x' });
    expect(await walk((start) => ledger.erase(store(), 't1|', start))).toBe(1);
    const entry = (await find({ ...mine, scope: 't1|a|POST /x' }))!;
    expect(entry).toEqual({ scope: 't1|a|POST /x', key: mine.key, fingerprint: null, status: 'erased' });
    expect(repeatOf(entry, mine.fingerprint)).toEqual({ kind: 'erased' });
    expect(await find({ ...theirs, scope: 't11|a|POST /x' })).toMatchObject({ status: 'completed' });
    expect(await find({ ...underWay, scope: 't1|a|POST /x' })).toMatchObject({ status: 'pending' });
    const again = await failureOf(record({ ...mine, scope: 't1|a|POST /x' }));
    expect(ledger.isLostRace(again)).toBe(true);
    expect(await walk((start) => ledger.erase(store(), 't1|', start))).toBe(0);
  });

  it('R26 removes finished keys of one tenant, all or those whose answer mentions somebody, and no work under way', async () => {
    const [mine, theirs] = [{ scope: 'r1|a|POST /x' }, { scope: 'r11|a|POST /x' }];
    const [hers, underWay] = [newClaim(), newClaim()];
    const answerTo = (claim: Claim, name: string) => record(claim, { ...answer, body: `{"customerId":"${name}"}` });
    for (const name of ['alice', 'bob']) await answerTo({ ...newClaim(), ...mine }, name);
    await answerTo({ ...hers, ...theirs }, 'alice');
    await begin({ ...newLeased('cook', underWay), ...mine });
    await begin({ ...newLeased(), scope: 'cooks', input: { input: { tenant: 'r1' } } });
    const remove = (mention?: string) => walk((at) => ledger.remove(store(), { scopePrefix: 'r1|', mention }, at));
    expect([await remove('alice'), await remove('alice'), await remove(), await remove()]).toEqual([1, 0, 1, 0]);
    const left = [await find({ ...hers, ...theirs }), await find({ ...underWay, ...mine })];
    expect(left.map((entry) => entry?.status)).toEqual(['completed', 'pending']);
    const pending = (tenant: string) => ledger.countPending(store(), { scopePrefix: `${tenant}|`, tenant });
    expect([await pending('r1'), await pending('r11')]).toEqual([2, 0]);
  });

  it('R26 keeps no answer above the limit', async () => {
    const claim = newClaim();
    const large = { ...answer, body: JSON.stringify('ä'.repeat(200_000)) };
    await expect(
      run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer: large }])),
    ).rejects.toThrow();
    expect(await find(claim)).toBeUndefined();
  });

  it.each([
    ['a key of no characters', { key: '' }, 'a key has 1 to 255 characters'],
    ['a key of 256 characters', { key: 'k'.repeat(256) }, 'a key has 1 to 255 characters'],
    ['a scope of no characters', { scope: '' }, 'a scope has 1 to 400 characters'],
    ['a scope of 401 characters', { scope: 's'.repeat(401) }, 'a scope has 1 to 400 characters'],
    ['a fingerprint that was cut', { fingerprint: Buffer.alloc(31) }, 'a fingerprint has 32 bytes'],
  ])('R13 takes no claim with %s', async (_case, part, reason) => {
    const claim = { ...newClaim(), ...part };
    await expect(record(claim)).rejects.toThrow(reason);
    await expect(begin(newLeased('cook', claim))).rejects.toThrow(reason);
    expect(await find(claim)).toBeUndefined();
  });

  it('R13 takes claims up to those bounds', async () => {
    const claim = { ...newLeased(), scope: 's'.repeat(400), key: 'k'.repeat(255) };
    await begin(claim);
    expect(await find(claim)).toMatchObject({ status: 'pending' });
  });

  it.each([0, 199, 600, NaN])('R12 keeps no answer with the status %p, and its work stays pending', async (status) => {
    const claim = newLeased();
    const odd = { ...answer, status };
    await expect(
      run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer: odd }])),
    ).rejects.toThrow(`${status} is not the status of an answer`);
    await begin(claim);
    await expect(run((tx) => ledger.complete(tx, [{ ...heldOf(claim), answer: odd }]))).rejects.toThrow(
      `${status} is not the status of an answer`,
    );
    expect(await find(claim)).toMatchObject({ status: 'pending' });
  });

  it('R17 keeps nothing of a transaction that fails behind it', async () => {
    const claim = newClaim();
    const failing = run(async (tx) => {
      ledger.record(tx, [{ ...claim, status: 'completed', answer }]);
      throw new Error('too bad');
    });
    await expect(failing).rejects.toThrow('too bad');
    expect(await find(claim)).toBeUndefined();
  });

  describe('R18 a lease', () => {
    it('R18 makes a key pending, so that a repeat finds it in use and another request finds it used', async () => {
      const claim = newLeased();
      await begin(claim);
      const { scope, key, fingerprint } = claim;
      const entry = (await find(claim))!;
      expect(entry).toEqual({ scope, key, fingerprint, status: 'pending', leaseExpired: false });
      expect(repeatOf(entry, fingerprint)).toEqual({ kind: 'in-use' });
      expect(repeatOf(entry, Buffer.alloc(32, 'y')).kind).toBe('reused');
      await age(claim);
      expect(repeatOf((await find(claim))!, fingerprint)).toEqual({ kind: 'in-use', left: { scope, key } });
    });

    it('R18 is written for many keys at once, each under its own token', async () => {
      const [mine, other] = [newLeased(), newLeased()];
      await begin(mine, other);
      expect(await failureOf(complete({ ...mine, token: other.token }))).toBeInstanceOf(LeaseLostError);
      await complete(mine);
      expect(await find(mine)).toMatchObject({ status: 'completed' });
      expect(await find(other)).toMatchObject({ status: 'pending' });
      await complete(other);
      expect(await find(other)).toMatchObject({ status: 'completed' });
    });

    it('R18 is taken over only after it has run out', async () => {
      const claim = newLeased();
      await begin(claim);
      expect(await resume(claim)).toBeUndefined();
      await age(claim);
      expect(await find(claim)).toMatchObject({ leaseExpired: true });
      expect(await resume(claim)).toMatchObject({ key: claim.key });
      expect(await find(claim)).toMatchObject({ leaseExpired: false });
    });

    it('R18 is taken over by one only, however many try at once', async () => {
      const claim = newLeased();
      await begin(claim);
      await age(claim);
      const got = await Promise.all(Array.from({ length: 8 }, () => resume(claim)));
      expect(got.filter((taken) => taken !== undefined)).toHaveLength(1);
    });

    it('R18 that was taken over lets its old owner write nothing', async () => {
      const claim = newLeased();
      await begin(claim);
      await age(claim);
      const current = (await resume(claim))!;
      expect(await failureOf(complete(claim))).toBeInstanceOf(LeaseLostError);
      expect(await failureOf(savePoint(claim, 'bought', 1))).toBeInstanceOf(LeaseLostError);
      expect(await failureOf(forget(claim))).toBeInstanceOf(LeaseLostError);
      expect(await find(claim)).toMatchObject({ status: 'pending' });
      await complete(current);
      const { scope, key, fingerprint } = claim;
      expect(await find(claim)).toEqual({ scope, key, fingerprint, status: 'completed', answer });
    });

    it('R18 is completed with others all or none: a lost one fails the transaction, and is named', async () => {
      const [mine, lost] = [newLeased(), newLeased()];
      await begin(mine, lost);
      await age(lost);
      await resume(lost);
      const error = await failureOf(complete(mine, lost));
      expect(error).toBeInstanceOf(LeaseLostError);
      expect((error as Error).message).toContain(lost.key);
      expect(await find(mine)).toMatchObject({ status: 'pending' });
      await complete(mine);
      expect(await find(mine)).toMatchObject({ status: 'completed', answer });
    });

    it('R18 that has run out is still good as long as nobody else has taken it', async () => {
      const claim = newLeased();
      await begin(claim);
      await age(claim);
      await complete(claim);
      expect(await find(claim)).toMatchObject({ status: 'completed', answer });
    });

    it('R18 that was completed is over: nobody completes it again or takes it over', async () => {
      const claim = newLeased();
      await begin(claim);
      await complete(claim);
      await age(claim);
      expect(await failureOf(complete(claim))).toBeInstanceOf(LeaseLostError);
      expect(await resume(claim)).toBeUndefined();
      expect(await ledger.extend(store(), [heldOf(claim)], 0)).toEqual(new Set());
      expect(await find(claim)).toMatchObject({ status: 'completed', answer });
    });

    it('R18 can be given back before it runs out, but only by its owner', async () => {
      const claim = newLeased();
      await begin(claim);
      expect(await ledger.extend(store(), [{ ...heldOf(claim), token: newLeaseToken() }], 0)).toEqual(new Set());
      expect(await resume(claim)).toBeUndefined();
      expect(await ledger.extend(store(), [heldOf(claim)], 0)).toEqual(new Set([claim.token]));
      expect(await resume(claim)).toMatchObject({ key: claim.key });
    });

    it('R18 of one scope says nothing about the same key in another', async () => {
      const claim = newLeased();
      const elsewhere = { ...newLeased('cook', claim), scope: 'another' };
      await begin(claim, elsewhere);
      await age(elsewhere);
      expect(await resume(claim)).toBeUndefined();
      expect(await failureOf(complete({ ...elsewhere, token: claim.token }))).toBeInstanceOf(LeaseLostError);
      await complete(claim);
      expect(await find(elsewhere)).toMatchObject({ status: 'pending' });
      await complete(elsewhere);
      expect(await find(elsewhere)).toMatchObject({ status: 'completed' });
    });

    it('R18 is made to last by its owner, and by nobody else', async () => {
      const claim = newLeased();
      await begin(claim);
      await age(claim);
      const held = heldOf(claim);
      expect(await ledger.extend(store(), [{ ...held, token: newLeaseToken() }], 60_000)).toEqual(new Set());
      expect(await find(claim)).toMatchObject({ leaseExpired: true });
      expect(await ledger.extend(store(), [held], 60_000)).toEqual(new Set([claim.token]));
      expect(await find(claim)).toMatchObject({ leaseExpired: false });
      expect(await resume(claim)).toBeUndefined();
    });

    it('R18 is forgotten by its owner alone, and then the key is free for any request', async () => {
      const claim = newLeased();
      await begin(claim);
      expect(await failureOf(forget({ ...claim, token: newLeaseToken() }))).toBeInstanceOf(LeaseLostError);
      expect(await find(claim)).toMatchObject({ status: 'pending' });
      await forget(claim);
      expect(await find(claim)).toBeUndefined();
      await record({ ...claim, fingerprint: Buffer.alloc(32, 'y') });
    });

    it('R18 is resumed with its input and the points that were reached, each try counted', async () => {
      const claim = newLeased();
      await begin(claim);
      await savePoint(claim, 'bought', { price: 5 });
      await savePoint(claim, 'cut', undefined);
      expect(await resume(claim)).toBeUndefined();
      await age(claim);
      const { scope, key } = claim;
      const second = (await resume(claim))!;
      expect(second).toEqual({
        scope,
        key,
        work: 'cook',
        input: { dish: 'soup' },
        token: expect.any(String),
        points: { bought: { price: 5 }, cut: null },
        attempt: 2,
        undone: false,
        ageMs: expect.any(Number),
      });
      expect(second.token).not.toBe(claim.token);
      expect(await failureOf(savePoint(claim, 'stirred', 1))).toBeInstanceOf(LeaseLostError);
      await savePoint(second, 'stirred', 2);
      await age(claim);
      const third = (await resume(claim))!;
      expect(third).toMatchObject({ points: { bought: { price: 5 }, cut: null, stirred: 2 }, attempt: 3 });
      await complete(third);
      await age(claim);
      expect(await resume(claim)).toBeUndefined();
    });

    it('R18 tells whoever resumes it how long ago the key was claimed, whatever was done since', async () => {
      const claim = newLeased();
      await begin(claim);
      await ageBy(claim, HOUR_SECONDS);
      await ledger.extend(store(), [heldOf(claim)], 0);
      const { ageMs } = (await resume(claim))!;
      expect(ageMs).toBeGreaterThanOrEqual(HOUR_SECONDS * 1_000);
      expect(ageMs).toBeLessThan(2 * HOUR_SECONDS * 1_000);
    });

    it('R18 that nobody is on is found by a completer that knows the work, later after each try', async () => {
      const work = `roast ${++keys}`;
      const [fresh, left, other] = [newLeased(work), newLeased(work), newLeased('something else')];
      await begin(fresh, left, other);
      for (const claim of [left, other]) await ageBy(claim, 61.5);
      const overdue = (limit = 10) => run((tx) => ledger.resumeOverdue(tx, [work], lease, limit));
      // The owner, or a repeat, gets a moment before the completer.
      expect(await overdue()).toEqual([]);
      await ageBy(left, 1);
      const [taken, ...more] = await overdue();
      expect(more).toEqual([]);
      expect(taken).toMatchObject({ key: left.key, work, input: { dish: 'soup' }, attempt: 2 });
      expect(await failureOf(savePoint(left, 'point', 1))).toBeInstanceOf(LeaseLostError);
      await savePoint(taken!, 'point', 1);
      expect(await overdue()).toEqual([]);
      await ageBy(left, 63);
      expect(await overdue()).toEqual([]);
      await ageBy(left, 2);
      expect(await overdue()).toMatchObject([{ key: left.key, attempt: 3 }]);
      for (const claim of [fresh, left]) await ageBy(claim, 1_000);
      expect(await overdue(1)).toHaveLength(1);
      expect(await overdue(10)).toHaveLength(1);
    });

    it('R18 of work whose code is not here is left to those who know it', async () => {
      const claim = newLeased('bake');
      await begin(claim);
      await ageBy(claim, 1_000);
      expect(await resume(claim, ['cook'])).toBeUndefined();
      expect(await run((tx) => ledger.resumeOverdue(tx, ['cook'], lease, 1_000))).not.toContainEqual(
        expect.objectContaining({ key: claim.key }),
      );
      expect(await resume(claim, ['cook', 'bake'])).toMatchObject({ key: claim.key });
    });
  });
});

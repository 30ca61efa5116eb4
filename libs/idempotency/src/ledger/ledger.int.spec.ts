import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { type Lease, newLeaseToken } from './lease';
import type { Key, Kind, Ledger, Stretch, Store } from './ledger';
import { MemoryLedger } from './memory-ledger';
import { MemoryStore } from './memory-store';
import { ledgerMigrations } from './migrations';
import { PostgresLedger } from './postgres-ledger';
import type { Answer } from '../answer';
import { type Claim, idOf, repeatOf } from '../settle';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

let database: Database;
const memory = new MemoryStore();
let keys = 0;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
afterAll(() => database.close());

interface Adapter<K extends Kind> {
  ledger: Ledger<K>;
  store: () => Store<K>;
  /** As if the row had been written so many seconds earlier. */
  age: (key: Key, seconds: number) => Promise<unknown>;
}

const aged = {
  name: 'test.age',
  text: `update ledger set leased_until = leased_until - $3 * interval '1 second',
           expires_at = expires_at - $3 * interval '1 second' where scope = $1 and key = $2`,
};

const inPostgres: Adapter<Kind> = {
  ledger: new PostgresLedger(),
  store: () => database,
  age: ({ scope, key }, seconds) => database.query(aged, [scope, key, seconds]),
};

interface MemoryRow {
  expiresAt?: number;
  lease?: { until: number };
}

const inMemory: Adapter<Kind> = {
  ledger: new MemoryLedger(),
  store: () => memory,
  age: async (key, seconds) => {
    const { lease, expiresAt, ...row } = memory.get<MemoryRow>('ledger', idOf(key))!;
    memory.put('ledger', idOf(key), {
      ...row,
      ...(lease && { lease: { ...lease, until: lease.until - seconds * 1_000 } }),
      ...(expiresAt && { expiresAt: expiresAt - seconds * 1_000 }),
    });
  },
};

const HOUR_SECONDS = 3_600;
const newClaim = (asked = 'x'): Claim => ({ scope: 's', key: `k${++keys}`, fingerprint: Buffer.alloc(32, asked) });
const newLease = (owner = 'me'): Lease => ({ owner, token: newLeaseToken(), durationMs: 60_000 });
const answer: Answer = { status: 201, headers: { location: '/things/1' }, body: '{ "id":  1 }' };

describe.each([
  ['PostgreSQL', inPostgres],
  ['memory', inMemory],
])('R23 the ledger in %s', (_, { ledger, store, age: ageBy }) => {
  const run = <T>(work: (tx: unknown) => Promise<T>): Promise<T> => store().transaction(work);
  const find = async ({ scope, key }: Claim) => (await ledger.find(store(), [{ scope, key }]))[0];
  const record = (claim: Claim) => run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer }]));
  const claimWith = (claim: Claim, lease: Lease) => run(async (tx) => ledger.lease(tx, [claim], lease));
  const takeOver = (claim: Claim, lease: Lease) => run((tx) => ledger.takeOver(tx, [claim], lease));
  const complete = ({ scope, key }: Claim, { token }: Lease) =>
    run((tx) => ledger.complete(tx, [{ scope, key, token, answer }]));
  const release = ({ scope, key }: Claim, { token }: Lease) =>
    run(async (tx) => ledger.release(tx, [{ scope, key, token }]));
  const age = (claim: Claim) => ageBy(claim, 61);
  const leaseWork = (claim: Claim, lease: Lease, work = 'cook', input: unknown = { dish: 'soup' }) =>
    run(async (tx) => ledger.lease(tx, [{ ...claim, work, input }], lease));
  const resume = ({ scope, key }: Claim, lease: Lease, works = ['cook']) =>
    run((tx) => ledger.resume(tx, { scope, key }, works, lease));
  const savePoint = ({ scope, key }: Claim, { token }: Lease, name: string, result: unknown) =>
    run(async (tx) => ledger.savePoint(tx, { scope, key, token }, { name, result }));
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
    const results = await Promise.allSettled([record(claim), record(claim), claimWith(claim, newLease())]);
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
    // A deadlock would have been run again.
    expect(runs).toBe(2);
  });

  it('R20 keeps an answer for 72 hours after its completion, or as long as its claim says', async () => {
    const [usual, short, leased] = [newClaim(), newClaim(), newClaim()];
    await record(usual);
    await run(async (tx) => ledger.record(tx, [{ ...short, status: 'completed', answer, retentionHours: 24 }]));
    const lease = newLease();
    await claimWith(leased, lease);
    const finished = { ...leased, token: lease.token, answer, retentionHours: 48 };
    await run(async (tx) => ledger.completeAll(tx, [finished]));
    const states = await ledger.describe(store(), [usual, short, leased]);
    const hours = states.map(
      ({ completedAt, expiresAt }) => (Date.parse(expiresAt!) - Date.parse(completedAt!)) / 3.6e6,
    );
    expect(hours).toEqual([72, 24, 48]);
  });

  it('R24 tells the state of a key: under way, completed with its status, or erased', async () => {
    const claim = newClaim();
    const lease = newLease();
    const state = async () => (await ledger.describe(store(), [{ scope: claim.scope, key: claim.key }]))[0]!;
    await claimWith(claim, lease);
    expect(await state()).toEqual({ scope: 's', key: claim.key, state: 'processing', createdAt: expect.any(String) });
    await complete(claim, lease);
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
    await claimWith({ ...pending, scope: 'reap' }, newLease());
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
    await claimWith({ ...underWay, scope: 't1|a|POST /x' }, newLease());
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
    await expect(claimWith(claim, newLease())).rejects.toThrow(reason);
    expect(await find(claim)).toBeUndefined();
  });

  it('R13 takes claims up to those bounds', async () => {
    const claim = { ...newClaim(), scope: 's'.repeat(400), key: 'k'.repeat(255) };
    await claimWith(claim, newLease());
    expect(await find(claim)).toMatchObject({ status: 'pending' });
  });

  it.each([0, 199, 600, NaN])('R12 keeps no answer with the status %p, and its work stays pending', async (status) => {
    const claim = newClaim();
    const odd = { ...answer, status };
    await expect(
      run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer: odd }])),
    ).rejects.toThrow(`${status} is not the status of an answer`);
    const lease = newLease();
    await claimWith(claim, lease);
    await expect(
      run(async (tx) => ledger.completeAll(tx, [{ ...claim, token: lease.token, answer: odd }])),
    ).rejects.toThrow(`${status} is not the status of an answer`);
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
      const claim = newClaim();
      await claimWith(claim, newLease());
      const entry = (await find(claim))!;
      expect(entry).toEqual({ ...claim, status: 'pending', leaseExpired: false });
      expect(repeatOf(entry, claim.fingerprint).kind).toBe('in-use');
      expect(repeatOf(entry, Buffer.alloc(32, 'y')).kind).toBe('reused');
    });

    it('R18 is taken over only after it has run out', async () => {
      const claim = newClaim();
      await claimWith(claim, newLease());
      expect(await takeOver(claim, newLease('somebody else'))).toEqual(new Set());
      await age(claim);
      expect(await find(claim)).toMatchObject({ leaseExpired: true });
      expect(await takeOver(claim, newLease('somebody else'))).toEqual(new Set([claim.key]));
      expect(await find(claim)).toMatchObject({ leaseExpired: false });
    });

    it('R18 is taken over by one only, however many try at once', async () => {
      const claim = newClaim();
      await claimWith(claim, newLease());
      await age(claim);
      const got = await Promise.all(Array.from({ length: 8 }, (_, index) => takeOver(claim, newLease(`${index}`))));
      expect(got.filter((taken) => taken.has(claim.key))).toHaveLength(1);
    });

    it('R18 that was taken over lets its old owner write nothing', async () => {
      const claim = newClaim();
      const [old, current] = [newLease('old'), newLease('current')];
      await claimWith(claim, old);
      await age(claim);
      await takeOver(claim, current);
      expect(await complete(claim, old)).toEqual(new Set());
      expect(await find(claim)).toMatchObject({ status: 'pending' });
      expect(await complete(claim, current)).toEqual(new Set([claim.key]));
      expect(await find(claim)).toEqual({ ...claim, status: 'completed', answer });
    });

    it('R18 is completed with others all or none: a lost one fails the transaction', async () => {
      const [mine, lost] = [newClaim(), newClaim()];
      const [lease, taker] = [newLease(), newLease('taker')];
      await claimWith(mine, lease);
      await claimWith(lost, lease);
      await age(lost);
      await takeOver(lost, taker);
      const finish = (...claims: Claim[]) =>
        run(async (tx) =>
          ledger.completeAll(
            tx,
            claims.map((claim) => ({ ...claim, token: lease.token, answer })),
          ),
        );
      const error: unknown = await finish(mine, lost).catch((reason: unknown) => reason);
      expect(ledger.isLeaseLost(error)).toBe(true);
      expect(await find(mine)).toMatchObject({ status: 'pending' });
      expect(await finish(mine)).toEqual(new Set([mine.key]));
      expect(await find(mine)).toMatchObject({ status: 'completed', answer });
    });

    it('R18 that has run out is still good as long as nobody else has taken it', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      await age(claim);
      expect(await complete(claim, lease)).toEqual(new Set([claim.key]));
    });

    it('R18 that was completed is over: nobody completes it again or takes it over', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      await complete(claim, lease);
      await age(claim);
      expect(await complete(claim, lease)).toEqual(new Set());
      expect(await takeOver(claim, newLease())).toEqual(new Set());
      await release(claim, lease);
      expect(await find(claim)).toMatchObject({ status: 'completed', answer });
    });

    it('R18 can be given back before it runs out, but only by its owner', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      await release(claim, newLease('a stranger'));
      expect(await takeOver(claim, newLease())).toEqual(new Set());
      await release(claim, lease);
      expect(await takeOver(claim, newLease())).toEqual(new Set([claim.key]));
    });

    it('R18 of one scope says nothing about the same key in another, so one call is for one scope', async () => {
      const claim = newClaim();
      const elsewhere = { ...claim, scope: 'another' };
      const [mine, theirs] = [newLease(), newLease()];
      await claimWith(claim, mine);
      await claimWith(elsewhere, theirs);
      const both = [claim, elsewhere].map(({ scope, key }) => ({ scope, key, token: mine.token, answer }));
      await expect(run((tx) => ledger.complete(tx, both))).rejects.toThrow('one scope');
      await expect(run((tx) => ledger.takeOver(tx, both, mine))).rejects.toThrow('one scope');
    });

    it('R18 is made to last by its owner, and by nobody else', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      await age(claim);
      const held = { scope: claim.scope, key: claim.key, token: lease.token };
      expect(await ledger.extend(store(), [{ ...held, token: newLeaseToken() }], 60_000)).toEqual(new Set());
      expect(await find(claim)).toMatchObject({ leaseExpired: true });
      expect(await ledger.extend(store(), [held], 60_000)).toEqual(new Set([lease.token]));
      expect(await find(claim)).toMatchObject({ leaseExpired: false });
      expect(await takeOver(claim, newLease())).toEqual(new Set());
    });

    it('R18 is found held by its owner alone', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      const check = (token: string) => run(async (tx) => ledger.check(tx, { ...claim, token }));
      await check(lease.token);
      expect(ledger.isLeaseLost(await failureOf(check(newLeaseToken())))).toBe(true);
    });

    it('R18 is forgotten by its owner alone, and then the key is free for any request', async () => {
      const claim = newClaim();
      const lease = newLease();
      await claimWith(claim, lease);
      const forget = (token: string) => run(async (tx) => ledger.forget(tx, { ...claim, token }));
      expect(ledger.isLeaseLost(await failureOf(forget(newLeaseToken())))).toBe(true);
      expect(await find(claim)).toMatchObject({ status: 'pending' });
      await forget(lease.token);
      expect(await find(claim)).toBeUndefined();
      await record({ ...claim, fingerprint: Buffer.alloc(32, 'y') });
    });

    it('R18 is resumed with its input and the points that were reached, each try counted', async () => {
      const claim = newClaim();
      const [first, second, third] = [newLease(), newLease(), newLease()];
      await leaseWork(claim, first);
      await savePoint(claim, first, 'bought', { price: 5 });
      await savePoint(claim, first, 'cut', undefined);
      expect(await resume(claim, second)).toBeUndefined();
      await age(claim);
      const { scope, key, fingerprint } = claim;
      const known = { scope, key, fingerprint, work: 'cook', input: { dish: 'soup' } };
      expect(await resume(claim, second)).toEqual({
        ...known,
        points: { bought: { price: 5 }, cut: null },
        attempt: 2,
      });
      expect(ledger.isLeaseLost(await failureOf(savePoint(claim, first, 'stirred', 1)))).toBe(true);
      await savePoint(claim, second, 'stirred', 2);
      await age(claim);
      expect(await resume(claim, third)).toMatchObject({
        points: { bought: { price: 5 }, cut: null, stirred: 2 },
        attempt: 3,
      });
      await complete(claim, third);
      await age(claim);
      expect(await resume(claim, newLease())).toBeUndefined();
    });

    it('R18 that nobody is on is found by a completer that knows the work, later after each try', async () => {
      const work = `roast ${++keys}`;
      const [fresh, left, other] = [newClaim(), newClaim(), newClaim()];
      for (const claim of [fresh, left]) await leaseWork(claim, newLease(), work);
      await leaseWork(other, newLease(), 'something else');
      for (const claim of [left, other]) await ageBy(claim, 61.5);
      const overdue = (limit = 10) => run((tx) => ledger.resumeOverdue(tx, [work], newLease('completer'), limit));
      // Its owner, or a repeat, gets a moment first.
      expect(await overdue()).toEqual([]);
      await ageBy(left, 1);
      expect(await overdue()).toMatchObject([{ key: left.key, work, input: { dish: 'soup' }, attempt: 2 }]);
      expect(await overdue()).toEqual([]);
      await ageBy(left, 63);
      expect(await overdue()).toEqual([]);
      await ageBy(left, 2);
      expect(await overdue()).toMatchObject([{ key: left.key, attempt: 3 }]);
      for (const claim of [fresh, left]) await ageBy(claim, 1_000);
      expect(await overdue(1)).toHaveLength(1);
      expect(await overdue(10)).toHaveLength(1);
    });

    it('R18 of no named work is left to those who claimed it', async () => {
      const claim = newClaim();
      await claimWith(claim, newLease());
      await ageBy(claim, 1_000);
      expect(await run((tx) => ledger.resumeOverdue(tx, ['cook'], newLease(), 1_000))).not.toContainEqual(
        expect.objectContaining({ key: claim.key }),
      );
    });
  });
});

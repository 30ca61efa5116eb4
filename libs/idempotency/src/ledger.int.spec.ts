import { createDatabase, type Database, migrate, type Tx } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { isLeaseLost, isLostRace, Ledger } from './ledger';
import { type Lease, newLeaseToken } from './lease';
import { ledgerMigrations } from './migrations';
import { type Answer, type Claim, repeatOf } from './settle';

const stack = useStack({
  templateKey: 'ledger',
  migrate: async (url) => {
    const database = createDatabase({ url, applicationName: 'test', migrations: ledgerMigrations });
    await migrate(database);
    await database.close();
  },
});

const ledger = new Ledger();
let database: Database;
let keys = 0;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
afterAll(() => database.close());

const newClaim = (asked = 'x'): Claim => ({ scope: 's', key: `k${++keys}`, fingerprint: Buffer.alloc(32, asked) });
const newLease = (owner = 'me'): Lease => ({ owner, token: newLeaseToken(), durationMs: 60_000 });
const answer: Answer = { status: 201, headers: { location: '/things/1' }, body: '{ "id":  1 }' };

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.transaction(work);
const find = async ({ scope, key }: Claim) => (await run((tx) => ledger.find(tx, [{ scope, key }])))[0];
const record = (claim: Claim) => run(async (tx) => ledger.record(tx, [{ ...claim, status: 'completed', answer }]));
const claimWith = (claim: Claim, lease: Lease) => run(async (tx) => ledger.lease(tx, [claim], lease));
const takeOver = (claim: Claim, lease: Lease) => run((tx) => ledger.takeOver(tx, [claim], lease));
const complete = ({ scope, key }: Claim, { token }: Lease) =>
  run((tx) => ledger.complete(tx, [{ scope, key, token, answer }]));
const release = ({ scope, key }: Claim, { token }: Lease) =>
  run(async (tx) => ledger.release(tx, [{ scope, key, token }]));

/** As if the lease had been taken long ago. */
const age = ({ key }: Claim) =>
  database.query(
    { name: 'test.age', text: `update ledger set leased_until = now() - interval '1 second' where key = $1` },
    [key],
  );

describe('the ledger', () => {
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
    expect(lost.map(({ reason }) => isLostRace(reason))).toEqual([true, true]);
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

  it('R20 keeps an answer for 72 hours after its completion, or as long as it is told', async () => {
    const [usual, short] = [newClaim(), newClaim()];
    await record(usual);
    await run(async (tx) => new Ledger({ retentionHours: 24 }).record(tx, [{ ...short, status: 'completed', answer }]));
    const hours = {
      name: 'test.hours',
      text: `select (extract(epoch from expires_at - completed_at) / 3600)::int as hours from ledger
             where key = any($1) order by array_position($1, key)`,
    };
    expect(await database.query(hours, [[usual.key, short.key]])).toEqual([{ hours: 72 }, { hours: 24 }]);
  });
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
    expect(isLeaseLost(error)).toBe(true);
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
});

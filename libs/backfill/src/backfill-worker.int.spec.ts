import { RetryableError, TerminalError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import { copying, marking } from '../testing/example-library';
import { type Library, openLibrary } from '../testing/library';
import { defineBackfill, type TableBackfill } from './backfill';
import { lockLease, renewLease, takeBackfill, writeCheckpoint } from './backfill.repository';

useStack();

const BOOKS = 120;
const FAST = 100_000;
const LEASE_MS = 60_000;

let library: Library;
beforeEach(async () => {
  library = await openLibrary(BOOKS);
});
afterEach(() => library.close());

const runs = { status: 'running' } as const;

/** A step that waits inside its transaction until it is let go. */
function held() {
  const state = { begun: 0, letGo: () => undefined as void };
  const gate = new Promise<void>((resolve) => (state.letGo = resolve));
  const backfill = marking(library.database);
  const prepare = backfill.prepare;
  backfill.prepare = async (cursor, limit) => {
    const step = await prepare(cursor, limit);
    return async (tx) => {
      const stretch = await step(tx);
      state.begun++;
      await gate;
      return stretch;
    };
  };
  return { backfill, state };
}

const unlucky = (step: TableBackfill<number>['step']) =>
  defineBackfill<number>({ name: 'unlucky', title: 'Fails', batch: 10, ratePerSecond: FAST, step });

describe('a worker of backfills', () => {
  it('R42 does nothing before it is told, then each row once, and tells how far it is', async () => {
    const replica = library.replica([marking(library.database), copying(library.database)]);
    await replica.workOff();
    expect(await library.counts()).toMatchObject({ marked: [0], copied: [0] });
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    await library.tell('copy-books', { ...runs, ratePerSecond: FAST });
    await replica.workOff();
    expect(await library.counts()).toMatchObject({ marked: [1], copied: [1] });
    const done = { status: 'done', runs: 1, worked: BOOKS, lastError: null };
    expect(await library.stateOf('mark-books')).toMatchObject({ ...done, estimate: BOOKS });
    expect(await library.stateOf('copy-books')).toMatchObject({ ...done, estimate: null });
    await replica.workOff();
    expect(await library.counts()).toMatchObject({ marked: [1], copied: [1] });
  });

  it('R42 begins again only as the next run', async () => {
    const replica = library.replica([marking(library.database)]);
    for (const run of [1, 1, 2, 2]) {
      await library.tell('mark-books', { ...runs, run, ratePerSecond: FAST });
      await replica.workOff();
    }
    await expect(library.tell('mark-books', runs)).rejects.toThrow('backfill_done');
    expect(await library.counts()).toMatchObject({ marked: [2] });
    expect(await library.stateOf('mark-books')).toMatchObject({ runs: 2, worked: BOOKS });
  });

  it('R42 works in one replica at a time', async () => {
    const { backfill, state } = held();
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    const first = library.replica([backfill]).workOff();
    await eventually(() => expect(state.begun).toBe(1));
    // The lease is not the only guard: while the step runs, its row is locked.
    await library.replica([marking(library.database)]).workOff();
    expect(await library.stateOf('mark-books')).toMatchObject({ worked: 0 });
    state.letGo();
    await first;
    expect(await library.counts()).toMatchObject({ marked: [1] });
  });

  it('R42 keeps nothing of a step whose lease somebody else has, and goes on elsewhere', async () => {
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    const slow = marking(library.database);
    const prepare = slow.prepare;
    let calls = 0;
    slow.prepare = async (cursor, limit) => {
      // It is away for so long behind its second reading that another one takes over, and ends the work.
      if (++calls === 2) {
        await library.query(`update backfill set leased_until = '-infinity'`);
        await library.replica([marking(library.database)], { leaseMs: LEASE_MS }).workOff();
      }
      return prepare(cursor, limit);
    };
    await library.replica([slow], { leaseMs: LEASE_MS }).workOff();
    expect(calls).toBe(2);
    expect(await library.counts()).toMatchObject({ marked: [1] });
    expect(await library.stateOf('mark-books')).toMatchObject({ status: 'done', worked: BOOKS, lastError: null });
  });

  it('R42 writes no checkpoint under a token that is not the row’s any more', async () => {
    const { database } = library;
    await library.tell('mark-books', runs);
    const [old, fresh] = ['01a20621-a6cd-74b9-a1c3-459d717a98c4', '02a20621-a6cd-74b9-a1c3-459d717a98c4'];
    const leaseOf = (token: string) => ({ name: 'mark-books', token, leaseMs: LEASE_MS });
    const take = (token: string) => takeBackfill(database, { names: ['mark-books'], token, leaseMs: LEASE_MS });
    expect(await take(old)).toMatchObject({ name: 'mark-books' });
    expect(await take(fresh)).toBeUndefined();
    await library.query(`update backfill set leased_until = '-infinity'`);
    expect(await take(fresh)).toMatchObject({ name: 'mark-books' });
    expect(await renewLease(database, leaseOf(old))).toBeUndefined();
    await database.transaction(async (tx) => {
      expect(await lockLease(tx, leaseOf(old))).toBeUndefined();
      writeCheckpoint(tx, leaseOf(old), { cursor: 7, worked: 7, done: true });
    });
    expect(await library.stateOf('mark-books')).toMatchObject({ status: 'running', worked: 0 });
  });

  it('R42 is paused with the answer: nothing is written behind it, and it goes on behind the checkpoint', async () => {
    const { backfill, state } = held();
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    const working = library.replica([backfill]).workOff();
    await eventually(() => expect(state.begun).toBe(1));
    const pausing = library.tell('mark-books', { status: 'paused' });
    // It waits for the step that is under way; otherwise there might be nothing left to pause.
    await eventually(async () => expect(await library.waiting()).toBe(1));
    state.letGo();
    const { worked } = await pausing;
    await working;
    expect(worked).toBeGreaterThan(0);
    expect(worked).toBeLessThan(BOOKS);
    expect(await library.stateOf('mark-books')).toMatchObject({ status: 'paused', worked, lastError: null });
    expect(await library.counts()).toMatchObject({ marked: [0, 1] });
    const other = library.replica([marking(library.database)]);
    await other.workOff();
    expect(await library.stateOf('mark-books')).toMatchObject({ worked });
    await library.tell('mark-books', runs);
    await other.workOff();
    expect(await library.counts()).toMatchObject({ marked: [1] });
  });

  it('R42 ends its wait at once when it is stopped, and another replica need not wait for the lease', async () => {
    const replica = library.replica([marking(library.database)], { leaseMs: LEASE_MS });
    await library.tell('mark-books', { ...runs, ratePerSecond: 5 });
    const working = replica.workOff();
    await eventually(async () => expect((await library.stateOf('mark-books')).worked).toBeGreaterThan(0));
    await replica.stop();
    await working;
    expect((await library.stateOf('mark-books')).worked).toBeLessThan(BOOKS);
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    await library.replica([marking(library.database)]).workOff();
    expect(await library.counts()).toMatchObject({ marked: [1] });
  });

  it('R42 hears of another rate while it works', async () => {
    await library.tell('mark-books', { ...runs, ratePerSecond: 1 });
    const working = library.replica([marking(library.database)], { leaseMs: LEASE_MS }).workOff();
    await eventually(async () => expect((await library.stateOf('mark-books')).worked).toBeGreaterThan(0));
    await library.tell('mark-books', { ...runs, ratePerSecond: FAST });
    await working;
    expect(await library.stateOf('mark-books')).toMatchObject({ status: 'done', worked: BOOKS });
  });

  it('R42 tries again after a failure, and nothing of the failed step is kept', async () => {
    let tries = 0;
    const backfill = unlucky(async (tx, cursor = 0) => {
      tx.send({ name: 'test.mark-one', text: 'update book set marked = marked + 1 where id = $1::int' }, [cursor + 1]);
      if (cursor === 3 && ++tries < 3) throw new RetryableError('the neighbour\nis away');
      return { cursor: cursor + 1, worked: 1, done: cursor + 1 === BOOKS };
    });
    await library.tell('unlucky', runs);
    const replica = library.replica([backfill]);
    for (const failures of [1, 2]) {
      await replica.workOff();
      const state = { status: 'running', worked: 3, lastError: 'RetryableError: the neighbour\\nis away' };
      expect(await library.stateOf('unlucky')).toMatchObject(state);
      const aged = `update backfill set next_try_at = now() where name = 'unlucky' and failures = $1 returning name`;
      expect((await library.query<unknown[]>(aged, [failures]))[0]).toHaveLength(1);
    }
    await replica.workOff();
    expect(await library.stateOf('unlucky')).toMatchObject({ status: 'done', worked: BOOKS, lastError: null });
    expect(await library.counts()).toMatchObject({ marked: [1] });
  });

  it('R42 gives up when a try cannot help, says why, and goes on behind its checkpoint when it is told to', async () => {
    let mended = false;
    const backfill = unlucky(async (_, cursor = 0) => {
      if (cursor === 3 && !mended) throw new TerminalError('no such column');
      return { cursor: cursor + 1, worked: 1, done: cursor === 5 };
    });
    await library.tell('unlucky', runs);
    const replica = library.replica([backfill]);
    await replica.workOff();
    const failed = { status: 'failed', worked: 3, lastError: 'TerminalError: no such column' };
    expect(await library.stateOf('unlucky')).toMatchObject(failed);
    mended = true;
    await replica.workOff();
    expect(await library.stateOf('unlucky')).toMatchObject(failed);
    await library.tell('unlucky', runs);
    await replica.workOff();
    expect(await library.stateOf('unlucky')).toMatchObject({ status: 'done', runs: 1, worked: 6, lastError: null });
  });

  it('R42 gives up after many failures in a row', async () => {
    const replica = library.replica([unlucky(async () => Promise.reject(new Error('out of luck')))]);
    await library.tell('unlucky', runs);
    await library.query(`update backfill set failures = 19 where name = 'unlucky'`);
    await replica.workOff();
    expect(await library.stateOf('unlucky')).toMatchObject({ status: 'failed', lastError: 'Error: out of luck' });
  });
});

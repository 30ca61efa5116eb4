/** The guarantees of a service for its commands, on PostgreSQL, with two replicas of a shed. */
import { Idempotency, ledgerMigrations, PostgresLedger } from '@shop/idempotency';
import type { Message, Reply } from '@shop/messaging';
import { createDatabase } from '@shop/postgres';
import { applyMigrations, CountedDatabase } from '@shop/postgres/testing';
import { RetryableError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import { CallOff, createShed, FakeCarrier, Fetch, findBox, Hire, newPair, PutIn, ShedCommands } from '../testing/shed';
import { Participant } from './participant';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

/** Long enough that no lease runs out by itself here. */
const LEASE_MS = 60_000;

type Shed = ReturnType<typeof openShed>;

let database: CountedDatabase;
let carrier: FakeCarrier;
let one: Shed;
let other: Shed;
let otherIdempotency: Idempotency;

beforeAll(async () => {
  database = new CountedDatabase(createDatabase({ url: stack.databaseUrl, applicationName: 'test' }).dataSource);
  await database.connect();
  await createShed(database);
});
afterAll(() => database.close());

beforeEach(() => {
  carrier = new FakeCarrier();
  [one] = openReplica();
  [other, otherIdempotency] = openReplica();
});

function openReplica(): [Shed, Idempotency] {
  const idempotency = new Idempotency(database, new PostgresLedger(), { leaseMs: LEASE_MS });
  return [openShed(idempotency), idempotency];
}

function openShed(idempotency: Idempotency) {
  return new Participant('shed', database, idempotency, new ShedCommands(carrier));
}

const undone: Reply = { outcome: 'refused', reason: 'undone' };
const inDoubt = (reason: string): Reply => ({ outcome: 'refused', reason, inDoubt: true });
const fetched = (message: Message): Reply => ({
  outcome: 'succeeded',
  result: { booking: `booking of ${message.id}` },
});

const rowOf = async ({ id }: Message) =>
  (
    await database.query<{ status: string; attempt: number | null }>(
      { name: 'test.row', text: `select status, attempt from ledger where scope = 'shed' and key = $1` },
      [id],
    )
  )[0];
/** Changes the lease as if the process that has the command had died this long ago. */
const ageLease = ({ id }: Message) =>
  database.query(
    { name: 'test.age', text: `update ledger set leased_until = now() - interval '1 hour' where key = $1` },
    [id],
  );
/** Begins an outside call that does not return, and waits until it is in flight. */
async function hang(message: Message): Promise<{ hanging: Promise<Reply> }> {
  carrier.holds = true;
  const before = carrier.waiting;
  const hanging = one.perform(message);
  hanging.catch(() => undefined);
  await eventually(() => expect(carrier.waiting).toBe(before + 1));
  carrier.holds = false;
  return { hanging };
}

describe('R12 a command', () => {
  it('R12 is carried out once, and each delivery gets the same reply', async () => {
    const { box, do: put } = newPair();
    const replies = [await one.perform(put), await other.perform(put), await one.perform(put)];
    expect(replies).toEqual(Array<Reply>(3).fill({ outcome: 'succeeded', result: { box } }));
    expect(await findBox(database, box)).toMatchObject({ put: 1 });
  });

  it('R12 is answered on the envelope of its delivery', async () => {
    const { do: put, box } = newPair();
    const [reply] = await Promise.all(one.take([{ message: put, suspect: false }]).promises);
    expect(reply).toMatchObject({
      id: `${put.id}/reply`,
      source: 'shed',
      subject: box,
      causationid: put.id,
      data: { outcome: 'succeeded', result: { box } },
    });
  });

  it('R14 with another body under the same id is refused, and it is left open what the first one did', async () => {
    const { box, do: put } = newPair();
    await one.perform(put);
    expect(await other.perform({ ...put, data: { box: 'another' } })).toEqual(inDoubt('command_id_reused'));
    expect(await findBox(database, 'another')).toBeUndefined();
    expect(await other.perform(put)).toEqual({ outcome: 'succeeded', result: { box } });
  });

  it.each<[string, (put: Message) => Message, string]>([
    ['an unknown type', (put) => ({ ...put, type: 'shed.burn-down.v1' }), 'unknown_command'],
    ['a body that cannot be read', (put) => ({ ...put, data: { box: 7 } }), 'malformed_command'],
    ['no body', (put) => ({ ...put, data: undefined }), 'malformed_command'],
  ])('R14 of %s is refused in doubt, and nothing is stored', async (_, spoil, reason) => {
    const { box, do: put } = newPair();
    expect(await one.perform(spoil(put))).toEqual(inDoubt(reason));
    expect(await rowOf(put)).toBeUndefined();
    // A version that knows this command may still carry it out.
    expect(await one.perform(put)).toEqual({ outcome: 'succeeded', result: { box } });
  });

  it('R17 that fails leaves nothing, and the others of its batch are carried out', async () => {
    const [good, bad] = [newPair(), newPair(PutIn, undefined, 'a\0b')];
    const [first, second] = await Promise.allSettled([one.perform(good.do), one.perform(bad.do)]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
    expect(await findBox(database, good.box)).toMatchObject({ put: 1 });
  });
});

describe('R3 an undo', () => {
  it('R3 that comes before its do is recorded, and the do that comes late is refused', async () => {
    const { box, do: put, undo } = newPair();
    expect(await one.perform(undo)).toEqual({ outcome: 'succeeded' });
    expect([await other.perform(put), await one.perform(put)]).toEqual([undone, undone]);
    expect(await other.perform(undo)).toEqual({ outcome: 'succeeded' });
    expect(await findBox(database, box)).toMatchObject({ put: 0, taken: 0 });
  });

  it('R3 that comes behind its do takes it back once', async () => {
    const { box, do: put, undo } = newPair();
    await one.perform(put);
    for (const replica of [one, other, one]) expect(await replica.perform(undo)).toEqual({ outcome: 'succeeded' });
    expect(await findBox(database, box)).toMatchObject({ put: 1, taken: 1 });
    expect(await other.perform(put)).toEqual({ outcome: 'succeeded', result: { box } });
  });

  it('R4 waits while the outside call of its do is in flight, and stores nothing', async () => {
    const { box, do: fetch, undo } = newPair(Fetch, CallOff);
    const { hanging } = await hang(fetch);
    await expect(other.perform(undo)).rejects.toBeInstanceOf(RetryableError);
    await expect(other.perform(fetch)).rejects.toBeInstanceOf(RetryableError);
    expect(await rowOf(undo)).toBeUndefined();
    carrier.letGo();
    expect(await hanging).toEqual(fetched(fetch));
    expect(await other.perform(undo)).toEqual({
      outcome: 'succeeded',
      result: { calledOff: `booking of ${fetch.id}` },
    });
    expect(await findBox(database, box)).toMatchObject({ off: 1 });
    expect(carrier.calls).toEqual([fetch.id]);
  });

  it('R4 tells its do that it has come, and the do goes no further', async () => {
    const { box, do: hire, undo } = newPair(Hire, CallOff);
    const { hanging } = await hang(hire);
    await expect(other.perform(undo)).rejects.toBeInstanceOf(RetryableError);
    carrier.letGo();
    expect(await hanging).toEqual({ outcome: 'refused', reason: 'not_wanted' });
    expect(await other.perform(hire)).toEqual({ outcome: 'refused', reason: 'not_wanted' });
    expect(await other.perform(undo)).toEqual({ outcome: 'succeeded', result: { calledOff: null } });
    expect(await findBox(database, box)).toMatchObject({ booking: null, off: 0 });
    expect([carrier.calls, carrier.confirmed]).toEqual([[hire.id], []]);
  });

  it('R4 R18 takes over a do whose process has died, and finishes it as one that nobody wants', async () => {
    const { do: hire, undo } = newPair(Hire, CallOff);
    const { hanging } = await hang(hire);
    await ageLease(hire);
    expect(await other.perform(undo)).toEqual({ outcome: 'succeeded', result: { calledOff: null } });
    expect(await other.perform(hire)).toEqual({ outcome: 'refused', reason: 'not_wanted' });
    carrier.letGo();
    await expect(hanging).rejects.toBeInstanceOf(RetryableError);
    expect(carrier.confirmed).toEqual([]);
  });

  it('R4 comes again a second later while it waits for its do, and a repeat after half of a lease', async () => {
    const { do: fetch, undo } = newPair(Fetch, CallOff);
    const { hanging } = await hang(fetch);
    await expect(other.perform(undo)).rejects.toMatchObject({ retryAfterMs: 1_000 });
    await expect(other.perform(fetch)).rejects.toMatchObject({ retryAfterMs: LEASE_MS / 2 });
    carrier.letGo();
    await hanging;
  });

  it('R45 R54 drops a repeat while this process works on the command, and answers a later one as the first', async () => {
    const { do: fetch } = newPair(Fetch, CallOff);
    const deliver = (suspect = false) => one.take([{ message: fetch, suspect }]).promises[0]!;
    carrier.holds = true;
    const first = deliver();
    await eventually(() => expect(carrier.waiting).toBe(1));
    carrier.holds = false;
    expect(await Promise.all([deliver(), deliver()])).toEqual([undefined, undefined]);
    // This one counts its deliveries, so it is told that it has to come again.
    await expect(deliver(true)).rejects.toBeInstanceOf(RetryableError);
    carrier.letGo();
    const reply = await first;
    expect(reply?.data).toEqual(fetched(fetch));
    expect(await deliver()).toEqual(reply);
    expect(carrier.calls).toEqual([fetch.id]);
  });

  it('R4 R18 finishes its do first when the process of that has died in the middle', async () => {
    const { box, do: fetch, undo } = newPair(Fetch, CallOff);
    const { hanging } = await hang(fetch);
    await ageLease(fetch);
    expect(await other.perform(undo)).toEqual({
      outcome: 'succeeded',
      result: { calledOff: `booking of ${fetch.id}` },
    });
    expect(carrier.calls).toEqual([fetch.id, fetch.id]);
    expect(await findBox(database, box)).toMatchObject({ booking: `booking of ${fetch.id}`, off: 1 });
    expect(await other.perform(fetch)).toEqual(fetched(fetch));
    // The owner was only paused. Its result is not written, and its delivery comes again.
    carrier.letGo();
    await expect(hanging).rejects.toBeInstanceOf(RetryableError);
    expect(await findBox(database, box)).toMatchObject({ off: 1 });
  });
});

describe('R18 a command that calls outside', () => {
  it('R18 is finished by the next delivery when its process has died, with the same key', async () => {
    const { do: fetch } = newPair(Fetch, CallOff);
    await hang(fetch);
    await ageLease(fetch);
    expect(await other.perform(fetch)).toEqual(fetched(fetch));
    expect(carrier.calls).toEqual([fetch.id, fetch.id]);
    expect(await rowOf(fetch)).toEqual({ status: 'completed', attempt: 2 });
    carrier.letGo();
  });

  it('R18 is finished by the completer when nothing is delivered, and the next delivery gets the reply', async () => {
    const { box, do: fetch } = newPair(Fetch, CallOff);
    await hang(fetch);
    expect(await otherIdempotency.works.resumeOverdue()).toBe(0);
    await ageLease(fetch);
    expect(await otherIdempotency.works.resumeOverdue()).toBe(1);
    expect(await rowOf(fetch)).toEqual({ status: 'completed', attempt: 2 });
    expect(await findBox(database, box)).toMatchObject({ booking: `booking of ${fetch.id}` });
    expect(await other.perform(fetch)).toEqual(fetched(fetch));
    expect(carrier.calls).toEqual([fetch.id, fetch.id]);
    carrier.letGo();
  });

  it('R18 may be answered without the call', async () => {
    const { do: fetch } = newPair(Fetch, CallOff, 'nailed down');
    expect(await one.perform(fetch)).toEqual({ outcome: 'refused', reason: 'nailed_down' });
    expect(await other.perform(fetch)).toEqual({ outcome: 'refused', reason: 'nailed_down' });
    expect(carrier.calls).toEqual([]);
  });
});

describe('R22 commands that arrive together', () => {
  it('R22 are one transaction', async () => {
    const pairs = Array.from({ length: 50 }, () => newPair());
    const before = database.transactions;
    const replies = await Promise.all(
      one.take(pairs.map(({ do: put }) => ({ message: put, suspect: false }))).promises,
    );
    expect(database.transactions - before).toBe(1);
    expect(replies.map((reply) => reply!.data)).toEqual(
      pairs.map(({ box }) => ({ outcome: 'succeeded', result: { box } })),
    );
    for (const { box } of pairs) expect(await findBox(database, box)).toMatchObject({ put: 1 });
  });

  it('R22 see what the ones before them did', async () => {
    const { box, do: put, undo } = newPair();
    const before = database.transactions;
    const replies = await Promise.all([put, put, undo].map((message) => one.perform(message)));
    expect(database.transactions - before).toBe(1);
    const done = { outcome: 'succeeded', result: { box } };
    expect(replies).toEqual([done, done, { outcome: 'succeeded' }]);
    expect(await findBox(database, box)).toMatchObject({ put: 1, taken: 1 });
  });

  it('R22 claim their outside calls in one transaction, and end in one', async () => {
    const pairs = Array.from({ length: 20 }, () => newPair(Fetch, CallOff));
    carrier.holds = true;
    const before = database.transactions;
    const performing = pairs.map(({ do: fetch }) => one.perform(fetch));
    await eventually(() => expect(carrier.waiting).toBe(20));
    expect(database.transactions - before).toBe(1);
    for (const { do: fetch } of pairs) expect(await rowOf(fetch)).toMatchObject({ status: 'pending' });
    carrier.letGo();
    expect(await Promise.all(performing)).toEqual(pairs.map(({ do: fetch }) => fetched(fetch)));
    expect(database.transactions - before).toBe(2);
    expect(new Set(carrier.calls).size).toBe(20);
  });

  it('R22 reach a point in one transaction too', async () => {
    const pairs = Array.from({ length: 20 }, () => newPair(Hire, CallOff));
    const before = database.transactions;
    const replies = await Promise.all(pairs.map(({ do: hire }) => one.perform(hire)));
    expect(replies).toEqual(pairs.map(({ do: hire }) => fetched(hire)));
    // For the claims, for the points, and for the ends.
    expect(database.transactions - before).toBe(3);
    expect(carrier.confirmed).toEqual(pairs.map(({ do: hire }) => hire.id));
  });

  it('R22 do not take a suspect into their batch', async () => {
    const [plain, suspect] = [newPair(), newPair()];
    const before = database.transactions;
    const { promises } = one.take([
      { message: plain.do, suspect: false },
      { message: suspect.do, suspect: true },
    ]);
    await Promise.all(promises);
    expect(database.transactions - before).toBe(2);
  });
});

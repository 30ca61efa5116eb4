import { createDatabase, type Database, type Statement } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { type Instant, noteInstants, parcelInstants } from '../testing/example-carrier';
import {
  type ExampleProcess,
  noteOf,
  parcelFor,
  type Response,
  startExample,
  type Wish,
} from '../testing/example-process';
import { type FakeCarrier, type Hold, startFakeCarrier } from '../testing/fake-carrier';

const stack = useStack();
/** The lease is short, so that no test waits long for a process that is gone. */
const LEASE_MS = 600;
/** A stopped process holds the rows of its transaction until the server ends the transaction after 15 s. */
const STOPPED_TIMEOUT_MS = 60_000;

let carrier: FakeCarrier;
let first: ExampleProcess;
let second: ExampleProcess;
let database: Database;

beforeAll(async () => {
  carrier = await startFakeCarrier();
  const options = { databaseUrl: stack.databaseUrl, carrierUrl: carrier.url, leaseMs: LEASE_MS };
  // Both start at the same time, as replicas do.
  [first, second] = await Promise.all([startExample(options), startExample(options)]);
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
afterAll(async () => {
  await Promise.all([first, second].map(({ process }) => process.close()));
  await carrier.close();
  await database.close();
});

/** The version (`xmin`) shows whether somebody has written the row again. */
const selectParcels: Statement = {
  name: 'test.select-parcels',
  text: 'select xmin::text as version, id, booking, label from parcel where recipient = $1',
};
const selectNotes: Statement = { name: 'test.select-notes', text: 'select id from note where text = $1' };
const parcelsFor = (to: string) => database.query<{ id: string; booking: string; label: string }>(selectParcels, [to]);
const notesOf = (text: string) => database.query<{ id: string }>(selectNotes, [text]);

/** A request, and the instant at which the process was stopped while it handled the request. */
interface Interrupted<At extends Instant = Instant> {
  instant: At;
  about: string;
  wish: Wish;
  /** The answer, or the reason why the client got none. */
  answer: Promise<Response | Error>;
  hold: Hold;
}

/** Sends the process one request for each instant. Returns when the process has stopped at each of them. */
async function interrupt<At extends Instant>(
  wishes: readonly { instant: At; about: string; wish: Wish }[],
): Promise<Interrupted<At>[]> {
  const holds = wishes.map(({ instant, about }) => carrier.hold(instant, about));
  return askAndAwait(wishes, holds);
}

async function askAndAwait<At extends Instant>(
  wishes: readonly { instant: At; about: string; wish: Wish }[],
  holds: readonly Hold[],
): Promise<Interrupted<At>[]> {
  const interrupted = wishes.map((one, index) => {
    return { ...one, hold: holds[index]!, answer: first.insist(one.wish).catch((error: Error) => error) };
  });
  await eventually(
    () => {
      expect(interrupted.filter(({ hold }) => !hold.arrived).map(({ instant }) => instant)).toEqual([]);
    },
    { timeoutMs: 30_000 },
  );
  return interrupted;
}

const wishesFor = <At extends Instant>(instants: readonly At[], make: (about: string) => Wish, what: string) =>
  instants.map((instant) => {
    const about = `${what} ${instant}`;
    return { instant, about, wish: make(about) };
  });

/** Kills the processes (the first one by default) and starts them again. */
async function kill(interrupted: readonly Interrupted[], processes = [first]): Promise<void> {
  await Promise.all(processes.map(({ process }) => process.restart('SIGKILL')));
  for (const { hold } of interrupted) hold.release();
}

/** Expects one row, one booking, and one answer that every repeat gets from every replica. */
async function expectOneParcel({ about, wish }: { about: string; wish: Wish }, answer: Response): Promise<void> {
  expect(answer.status).toBe(201);
  const [booking, ...further] = carrier.bookingsOf(about);
  expect(further).toEqual([]);
  const { id } = JSON.parse(answer.body) as { id: string };
  const label = `label of ${booking}`;
  expect(await parcelsFor(about)).toMatchObject([{ id, booking, label }]);
  expect(JSON.parse(answer.body)).toEqual({ id, booking, label });
  for (const replica of [first, second]) expectReplay(await replica.ask(wish), answer);
}

function expectReplay(repeat: Response, { status, body, headers }: Response): void {
  expect(repeat).toMatchObject({ status, body });
  expect(repeat.headers['idempotent-replayed']).toBe('true');
  expect(repeat.headers['location']).toBe(headers['location']);
}

describe('a process that is killed in the middle of leased work', () => {
  /** The transactions of the work, in order. */
  const transactions: readonly Instant[] = ['packing', 'noting the booking', 'finishing'];
  const order = (instant: Instant) => parcelInstants.indexOf(instant as (typeof parcelInstants)[number]);

  describe('and whose client asks again', () => {
    let killed: (Interrupted & { seenBefore: number; again: Response })[];

    beforeAll(async () => {
      const interrupted = await interrupt(wishesFor(parcelInstants, parcelFor, 'again'));
      const restarted = kill(interrupted);
      // The clients ask the other process at once, so they come before any completer.
      const asked = interrupted.map(async (one) => {
        const seenBefore = carrier.instantsOf(one.about).length;
        return { ...one, seenBefore, again: await second.insist(one.wish, 0) };
      });
      killed = await Promise.all(asked);
      await restarted;
    });

    it.each(parcelInstants)('R18 goes on where it ended, killed at: %s', async (instant) => {
      const one = killed.find((each) => each.instant === instant)!;
      expect(await one.answer).toMatchObject({ code: 'ECONNRESET' });
      expect(one.again.headers['idempotent-replayed']).toBe(instant === 'answering' ? 'true' : undefined);
      const since = carrier.instantsOf(one.about).slice(one.seenBefore);
      const open = transactions.filter((transaction) => order(transaction) >= order(instant));
      expect(since.filter((each) => transactions.includes(each))).toEqual(open);
      // After the point that keeps the booking, nobody asks the carrier for the booking again.
      expect(since.includes('booking')).toBe(order(instant) <= order('noting the booking'));
      await expectOneParcel(one, one.again);
    });
  });

  describe('and whose client never comes back', () => {
    let killed: Interrupted[];

    beforeAll(async () => {
      killed = await interrupt(wishesFor(parcelInstants, parcelFor, 'alone'));
      await kill(killed);
    });

    it.each(parcelInstants)('R18 is finished by the completer, killed at: %s', async (instant) => {
      const one = killed.find((each) => each.instant === instant)!;
      await eventually(async () => expect(await first.stateOf(one.wish.key)).toBe('completed'), { timeoutMs: 20_000 });
      await expectOneParcel(one, await first.ask(one.wish));
    });
  });

  describe('and killed there again when it had gone on', () => {
    let killed: Interrupted[];

    beforeAll(async () => {
      const wishes = wishesFor(parcelInstants, parcelFor, 'twice');
      const once = await interrupt(wishes);
      // The holds are made before the kill, because the process that starts first resumes the work at once. So both are
      // killed.
      const holds = wishes.map(({ instant, about }) => carrier.hold(instant, about));
      await kill(once, [first, second]);
      killed = await askAndAwait(wishes, holds);
      await kill(killed, [first, second]);
    });

    it.each(parcelInstants)('R18 still sends one parcel, killed twice at: %s', async (instant) => {
      const one = killed.find((each) => each.instant === instant)!;
      await expectOneParcel(one, await second.insist(one.wish));
    });
  });
});

describe('a process that is killed in the middle of atomic work', () => {
  let killed: Interrupted<(typeof noteInstants)[number]>[];

  beforeAll(async () => {
    killed = await interrupt(wishesFor(noteInstants, noteOf, 'killed'));
    await kill(killed);
  });

  it.each([
    { instant: 'writing', rows: 0, state: '404', replayed: undefined },
    { instant: 'answering', rows: 1, state: 'completed', replayed: 'true' },
  ])('R17 has done all or nothing, killed at: $instant', async ({ instant, rows, state, replayed }) => {
    const { about, wish, answer } = killed.find((each) => each.instant === instant)!;
    expect(await answer).toMatchObject({ code: 'ECONNRESET' });
    expect(await notesOf(about)).toHaveLength(rows);
    expect(await first.stateOf(wish.key)).toBe(state);
    const repeat = await second.ask(wish);
    expect(repeat.status).toBe(201);
    expect(repeat.headers['idempotent-replayed']).toBe(replayed);
    expect(await notesOf(about)).toEqual([{ id: (JSON.parse(repeat.body) as { id: string }).id }]);
    expectReplay(await first.ask(wish), repeat);
  });
});

describe('a process that is stopped and wakes up late', () => {
  /** In a call, in each transaction, and between the last call and the last transaction. */
  const instants = ['booking', 'packing', 'noting the booking', 'behind label', 'finishing'] as const;

  it(
    'R18 writes nothing of what another has meanwhile done, and tells its client the answer or to come again',
    async () => {
      const stopped = await interrupt(wishesFor(instants, parcelFor, 'stopped'));
      const [answers, rows] = await whileStopped(async () => {
        const answers = await Promise.all(stopped.map(({ wish }) => second.insist(wish)));
        const rows = await Promise.all(stopped.map(({ about }) => parcelsFor(about)));
        for (const { hold } of stopped) hold.release();
        return [answers, rows];
      });
      for (const [index, one] of stopped.entries()) {
        expectReplay((await one.answer) as Response, answers[index]!);
        expect(await parcelsFor(one.about)).toEqual(rows[index]);
        await expectOneParcel(one, answers[index]!);
      }
      expect(first.process.running).toBe(true);
    },
    STOPPED_TIMEOUT_MS,
  );

  it('R18 gives way when it wakes in its last transaction while another waits for its rows', async () => {
    const [stopped] = await interrupt(wishesFor(['finishing'], parcelFor, 'woken'));
    const { about, wish, hold } = stopped!;
    const answer = await whileStopped(async () => {
      const answer = second.insist(wish);
      await eventually(() => {
        expect(carrier.instantsOf(about).filter((each) => each === 'behind label')).toHaveLength(2);
      });
      hold.release();
      return { coming: answer };
    });
    await expectOneParcel(stopped!, await answer.coming);
    expectReplay((await stopped!.answer) as Response, await answer.coming);
  });

  async function whileStopped<T>(work: () => Promise<T>): Promise<T> {
    first.process.kill('SIGSTOP');
    try {
      return await work();
    } finally {
      first.process.kill('SIGCONT');
    }
  }
});

describe('many at once with one key, over two processes', () => {
  const CROWD = 100;
  const crowd = (wish: Wish, prefer?: number): Promise<Response[]> =>
    Promise.all(Array.from({ length: CROWD }, (_, index) => [first, second][index % 2]!.ask(wish, prefer)));

  describe.each<[string, (about: string) => Wish]>([
    ['POST /notes', noteOf],
    ['POST /parcels', parcelFor],
  ])('%s', (_, make) => {
    it('R16 does it once, and gives all the one answer or tells them to come again', async () => {
      const wish = make('crowd');
      const responses = await crowd(wish);
      const answers = responses.filter(({ status }) => status === 201);
      const [fresh, ...others] = answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined);
      expect(others).toEqual([]);
      for (const replay of answers.filter((answer) => answer !== fresh)) expectReplay(replay, fresh!);
      for (const refusal of responses.filter(({ status }) => status !== 201)) expectInUse(refusal, wish);
      await expectOneEffect('crowd', wish, fresh!);
    });

    it('R16 gives all the one answer when they would rather wait', async () => {
      const wish = make('patient crowd');
      const responses = await crowd(wish, 20);
      expect(new Set(responses.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
      await expectOneEffect('patient crowd', wish, responses[0]!);
    });
  });

  async function expectOneEffect(about: string, wish: Wish, answer: Response): Promise<void> {
    if (wish.path === '/parcels') return expectOneParcel({ about, wish }, answer);
    expect(answer.status).toBe(201);
    expect(await notesOf(about)).toEqual([{ id: (JSON.parse(answer.body) as { id: string }).id }]);
  }
});

describe('a request whose key another process is working on', () => {
  it('R16 is told to come again and where to look, for as long as the other lives, or waits as long as it likes', async () => {
    const [working] = await interrupt(wishesFor(['booking'], parcelFor, 'in use'));
    const { wish } = working!;
    const hasty = await second.ask(wish, 1);
    expectInUse(hasty, wish);
    expect(hasty.headers['preference-applied']).toBe('wait=1');
    const patient = second.ask(wish, 20);
    // Without heartbeats, the lease would have expired several times by now.
    expectInUse(await second.ask(wish), wish);
    expect(await second.stateOf(wish.key)).toBe('processing');
    working!.hold.release();
    const answer = (await working!.answer) as Response;
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expectReplay(await patient, answer);
    await expectOneParcel(working!, answer);
    expect(carrier.instantsOf('in use booking').filter((each) => each === 'booking')).toHaveLength(1);
  });
});

describe('leased work whose outside call fails', () => {
  it('R19 tells that nobody knows the outcome and when to come again, and goes on with the same key', async () => {
    const about = 'unknown';
    const wish = parcelFor(about);
    const hold = carrier.hold('booking', about);
    hold.fail();
    const unknown = await first.ask(wish);
    expect(unknown.status).toBe(503);
    expect(JSON.parse(unknown.body)).toMatchObject({ code: 'outcome_unknown' });
    expect(unknown.headers['retry-after']).toMatch(/^\d+$/);
    expect(unknown.headers['content-type']).toMatch('application/problem+json');
    // The carrier has made the booking although the call failed.
    expect(carrier.bookingsOf(about)).toHaveLength(1);
    const answer = await second.ask(wish);
    expect(carrier.instantsOf(about).filter((each) => each === 'packing')).toHaveLength(1);
    await expectOneParcel({ about, wish }, answer);
  });
});

function expectInUse({ status, headers, body }: Response, { key }: Wish): void {
  expect(status).toBe(409);
  expect(headers['retry-after']).toMatch(/^\d+$/);
  expect(headers['content-type']).toMatch('application/problem+json');
  expect(JSON.parse(body)).toMatchObject({
    code: 'idempotency_key_in_use',
    state: 'processing',
    statusUrl: `/idempotency-keys/${key}`,
  });
}

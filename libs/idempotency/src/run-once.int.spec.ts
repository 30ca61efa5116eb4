import { randomUUID } from 'node:crypto';
import { createDatabase, type Database, type Statement, traffic } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { PostgresLedger } from './ledger/postgres-ledger';
import { ledgerMigrations } from './ledger/migrations';
import { type Moves, runOnce } from './run-once';
import type { Answer } from './answer';
import { type Outcome, type Work } from './settle';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

const ledger = new PostgresLedger();
/** Two replicas of a service. */
let replicas: [Database, Database];

beforeAll(async () => {
  const connect = async () => {
    const database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
    await database.connect();
    return database;
  };
  replicas = [await connect(), await connect()];
  await replicas[0].query({ name: 'test.effect', text: 'create table effect (name text, at timestamptz)' });
  await replicas[0].query({
    name: 'test.seat',
    text: 'create table seat (id text primary key, taken int not null, freed int not null)',
  });
});
afterAll(() => Promise.all(replicas.map((replica) => replica.close())));

const fingerprint = (asked = 'x') => Buffer.alloc(32, asked);
const workOf = (key: string, asked?: string): Work => ({ claim: { scope: 's', key, fingerprint: fingerprint(asked) } });

const insertEffect: Statement = { name: 'test.insert-effect', text: 'insert into effect values ($1, now())' };
const countEffects: Statement = {
  name: 'test.count-effects',
  text: 'select count(*) as n from effect where name = $1',
};
const effects = async (name: string) => (await replicas[0].query<{ n: number }>(countEffects, [name]))[0]!.n;

/** Nothing but the ledger stands between these moves and a second row of the effect. */
const leaveMark = (name: string): Moves<null> => ({
  load: async () => null,
  decide: () => ({ status: 201, body: JSON.stringify({ id: randomUUID() }) }),
  save: (tx) => tx.send(insertEffect, [name]),
});
const bodyOf = (outcome: Outcome): string => {
  if (!('answer' in outcome)) throw new Error(`no answer but ${outcome.kind}`);
  return outcome.answer.body;
};

describe('a key that seems new', () => {
  const newWork = (key: string, asked?: string): Work => ({ ...workOf(key, asked), seemsNew: true });

  it('is not looked up: its work, its answer and the commit are one trip', async () => {
    const before = { ...traffic };
    const [outcome] = await runOnce(replicas[0], ledger, [newWork('presumed')], leaveMark('presumed'));
    expect(outcome!.kind).toBe('fresh');
    // begin, effect, answer, commit
    expect([traffic.trips - before.trips, traffic.statements - before.statements]).toEqual([1, 4]);
    expect(await effects('presumed')).toBe(1);
  });

  it('and is not, is found by the second run, which presumes nothing', async () => {
    const [first] = await runOnce(replicas[0], ledger, [workOf('not new')], leaveMark('not new'));
    const presumed: boolean[] = [];
    const moves: Moves<null> = {
      ...leaveMark('not new'),
      load: async (_, presume) => {
        presumed.push(presume);
        return null;
      },
    };
    const outcomes = await runOnce(replicas[1], ledger, [newWork('not new'), newWork('beside it')], moves);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['replayed', 'fresh']);
    expect(bodyOf(outcomes[0]!)).toBe(bodyOf(first!));
    expect(presumed).toEqual([true, false]);
    expect(await runOnce(replicas[1], ledger, [newWork('not new', 'y')], leaveMark('not new'))).toEqual([
      { kind: 'reused' },
    ]);
  });

  it('and is not, is answered as before also where the new answer would not be kept', async () => {
    const [first] = await runOnce(replicas[0], ledger, [workOf('moody')], leaveMark('moody'));
    const moody: Moves<null> = { ...leaveMark('moody'), decide: () => ({ status: 503, body: '{}' }) };
    const [second] = await runOnce(replicas[1], ledger, [newWork('moody')], moody);
    expect([second!.kind, bodyOf(second!)]).toEqual(['replayed', bodyOf(first!)]);
    const [third] = await runOnce(replicas[1], ledger, [newWork('moodier')], moody);
    expect(third).toMatchObject({ kind: 'fresh', answer: { status: 503 } });
  });

  it('R16 of a hundred at once over two pools exactly one runs, and all get its answer', async () => {
    const runs = Array.from({ length: 100 }, (_, index) =>
      runOnce(replicas[index % 2]!, ledger, [newWork('new crowd')], leaveMark('new crowd')),
    );
    const outcomes = (await Promise.all(runs)).flat();
    expect(await effects('new crowd')).toBe(1);
    expect(new Set(outcomes.map(bodyOf)).size).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === 'fresh')).toHaveLength(1);
  });
});

describe('runOnce', () => {
  it('R16 of a hundred at once with one key, over two pools, exactly one runs, and all get its answer', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        runOnce(replicas[index % 2]!, ledger, [workOf('crowd')], leaveMark('crowd')),
      ),
    );
    expect(await effects('crowd')).toBe(1);
    expect(new Set(outcomes.flat().map(bodyOf)).size).toBe(1);
    expect(outcomes.flat().filter(({ kind }) => kind === 'fresh')).toHaveLength(1);
    expect(outcomes.flat().filter(({ kind }) => kind === 'replayed')).toHaveLength(99);
  });

  it('R16 batches with overlapping keys, over two pools, run each key once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `overlap ${index}`);
    const batches = names.map((_, index) => [...names.slice(index), ...names.slice(0, index)].slice(0, 8));
    const outcomes = await Promise.all(
      batches.map((batch, index) => {
        let marks: string[] = [];
        return runOnce<null>(
          replicas[index % 2]!,
          ledger,
          batch.map((name) => workOf(name)),
          {
            load: async () => {
              marks = [];
              return null;
            },
            decide: (_, at) => {
              marks.push(batch[at]!);
              return { status: 201, body: randomUUID() };
            },
            save: (tx) => marks.forEach((name) => tx.send(insertEffect, [name])),
          },
        );
      }),
    );
    for (const name of names) {
      const answers = batches.flatMap((batch, index) =>
        batch.flatMap((one, at) => (one === name ? [outcomes[index]![at]!] : [])),
      );
      expect(answers).toHaveLength(8);
      expect(new Set(answers.map(bodyOf)).size).toBe(1);
      expect(await effects(name)).toBe(1);
    }
  });

  it('R12 answers a repeat with the same bytes and does not decide again', async () => {
    const [first] = await runOnce(replicas[0], ledger, [workOf('repeat')], leaveMark('repeat'));
    const decide = jest.fn();
    const [second] = await runOnce(replicas[1], ledger, [workOf('repeat')], { ...leaveMark('repeat'), decide });
    expect(second).toEqual({ kind: 'replayed', answer: { ...(first as { answer: Answer }).answer } });
    expect(decide).not.toHaveBeenCalled();
    expect(await effects('repeat')).toBe(1);
  });

  it('R14 refuses another request under a used key, and does nothing', async () => {
    await runOnce(replicas[0], ledger, [workOf('conflict')], leaveMark('conflict'));
    const outcomes = await runOnce(replicas[1], ledger, [workOf('conflict', 'y')], leaveMark('conflict'));
    expect(outcomes).toEqual([{ kind: 'reused' }]);
    expect(await effects('conflict')).toBe(1);
  });

  it.each<[string, Moves<null>['save']]>([
    [
      'an error is thrown',
      () => {
        throw new Error('out of luck');
      },
    ],
    ['a statement fails', (tx) => tx.send({ name: 'test.zero', text: 'select 1 / 0' })],
    [
      'the connection is lost',
      (tx) => tx.send({ name: 'test.suicide', text: 'select pg_terminate_backend(pg_backend_pid())' }),
    ],
  ])('R17 leaves neither effect nor key when, between save and commit, %s', async (how, fail) => {
    const moves = leaveMark(how);
    const failing: Moves<null> = {
      ...moves,
      save: (tx, state) => {
        moves.save(tx, state);
        fail(tx, state);
      },
    };
    await expect(runOnce(replicas[0], ledger, [workOf(how)], failing)).rejects.toThrow();
    expect(await effects(how)).toBe(0);
    const [outcome] = await runOnce(replicas[0], ledger, [workOf(how)], moves);
    expect(outcome!.kind).toBe('fresh');
    expect(await effects(how)).toBe(1);
  });

  it('R16 loads and decides afresh after a lost race, so nothing of the first run is left over', async () => {
    const states: { marks: string[] }[] = [];
    const rival = workOf('rival');
    const works = [rival, workOf('own')];
    const outcomes = await runOnce<{ marks: string[] }>(replicas[0], ledger, works, {
      load: async () => {
        const state = { marks: [] };
        states.push(state);
        // The first look into the ledger is on its way; the rival commits behind it.
        if (states.length === 1) await runOnce(replicas[1], ledger, [rival], leaveMark('rival'));
        return state;
      },
      decide: (state, index) => {
        state.marks.push(works[index]!.claim.key);
        return { status: 201, body: `#${index}` };
      },
      save: (tx, { marks }) => marks.forEach((name) => tx.send(insertEffect, [name])),
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['replayed', 'fresh']);
    expect(states.map(({ marks }) => marks)).toEqual([['rival', 'own'], ['own']]);
    expect([await effects('rival'), await effects('own')]).toEqual([1, 1]);
  });

  it.each<[string, Answer, string]>([
    ['the ledger', { status: 999, body: '{}', kept: true }, '999 is not the status of an answer'],
    ['PostgreSQL', { status: 200, body: '"a\0b"' }, 'unsupported Unicode escape sequence'],
  ])('R17 leaves no effect when its answer is refused by %s', async (by, answer, reason) => {
    const mark = `refused by ${by}`;
    const moves = { ...leaveMark(mark), decide: () => answer };
    await expect(runOnce(replicas[0], ledger, [workOf(mark)], moves)).rejects.toThrow(reason);
    expect(await effects(mark)).toBe(0);
  });

  it('R16 finds a key in use while somebody works on it under a lease', async () => {
    const work = workOf('leased');
    await replicas[0].transaction(async (tx) =>
      ledger.lease(tx, [work.claim], { owner: 'me', token: randomUUID(), durationMs: 60_000 }),
    );
    expect(await runOnce(replicas[1], ledger, [work], leaveMark('leased'))).toEqual([{ kind: 'in-use' }]);
    expect(await effects('leased')).toBe(0);
  });
});

describe('R3 R22 the barrier', () => {
  type Verb = 'do' | 'undo';
  interface Seat {
    id: string;
    taken: number;
    freed: number;
  }
  const lockSeats: Statement = { name: 'test.lock-seats', text: 'select * from seat where id = any($1) for update' };
  const saveSeats: Statement = {
    name: 'test.save-seats',
    text: `insert into seat values ($1, $2, $3) on conflict (id) do update set taken = $2, freed = $3`,
  };
  const reply = (outcome: string): Answer => ({
    status: outcome === 'succeeded' ? 200 : 409,
    body: JSON.stringify({ outcome }),
  });

  /** A participant: takes a seat, frees it again. It trusts the barrier and checks nothing itself. */
  async function carryOut(replica: Database, id: string, verbs: readonly Verb[]): Promise<string[]> {
    const key = (verb: Verb) => `${id}/${verb}`;
    const works = verbs.map((verb): Work => ({
      claim: { scope: 'barrier', key: key(verb), fingerprint: fingerprint(verb) },
      barrier: verb === 'undo' ? { key: key('do'), refusal: reply('refused') } : undefined,
    }));
    const outcomes = await runOnce<Seat>(replica, ledger, works, {
      load: async (tx) => (await tx.query<Seat>(lockSeats, [[id]]))[0] ?? { id, taken: 0, freed: 0 },
      decide: (seat, index) => {
        if (verbs[index] === 'do') seat.taken++;
        else if (seat.taken > 0) seat.freed++;
        return reply('succeeded');
      },
      save: (tx, seat) => tx.send(saveSeats, [seat.id, seat.taken, seat.freed]),
    });
    return outcomes.map((outcome) => (JSON.parse(bodyOf(outcome)) as { outcome: string }).outcome);
  }

  const sequences = [1, 2, 3, 4].flatMap(function ofLength(length: number): Verb[][] {
    if (length === 0) return [[]];
    return ofLength(length - 1).flatMap((rest) => [
      [...rest, 'do'],
      [...rest, 'undo'],
    ]);
  });

  async function seatOf(id: string): Promise<Omit<Seat, 'id'>> {
    const [seat] = await replicas[0].query<Seat>(
      { name: 'test.seat-of', text: 'select taken, freed from seat where id = $1' },
      [id],
    );
    return seat ?? { taken: 0, freed: 0 };
  }

  /** What one order of arrival must come to: whichever of the two came first decides. */
  function expected(first: Verb, verbs: readonly Verb[]) {
    const done = first === 'do' ? 1 : 0;
    return {
      seat: { taken: done, freed: done && verbs.includes('undo') ? 1 : 0 },
      replies: verbs.map((verb) => (verb === 'undo' || done ? 'succeeded' : 'refused')),
    };
  }

  it('knows every order and repetition of do and undo up to four', () => {
    expect(sequences).toHaveLength(30);
  });

  it.each(sequences.map((verbs) => [verbs.join(', '), verbs] as const))(
    'R3 R22 %s: the effect is right and the answers agree, in one batch, one by one, and at two replicas at once',
    async (_, verbs) => {
      const inOrder = expected(verbs[0]!, verbs);

      const together = randomUUID();
      expect(await carryOut(replicas[0], together, verbs)).toEqual(inOrder.replies);
      expect(await seatOf(together)).toEqual(inOrder.seat);

      const apart = randomUUID();
      const replies: string[] = [];
      for (const [index, verb] of verbs.entries()) {
        replies.push(...(await carryOut(replicas[index % 2]!, apart, [verb])));
      }
      expect(replies).toEqual(inOrder.replies);
      expect(await seatOf(apart)).toEqual(inOrder.seat);

      const atOnce = randomUUID();
      const raced = await Promise.all(verbs.map((verb, index) => carryOut(replicas[index % 2]!, atOnce, [verb])));
      const done = raced.flat().some((outcome, index) => verbs[index] === 'do' && outcome === 'succeeded');
      const whoeverWon = expected(done ? 'do' : 'undo', verbs);
      expect(raced.flat()).toEqual(whoeverWon.replies);
      expect(await seatOf(atOnce)).toEqual(whoeverWon.seat);
    },
  );

  it('R3 tells an undo that comes again with another body from the first one', async () => {
    const id = randomUUID();
    await carryOut(replicas[0], id, ['undo']);
    const again: Work = {
      claim: { scope: 'barrier', key: `${id}/undo`, fingerprint: fingerprint('another') },
      barrier: { key: `${id}/do`, refusal: reply('refused') },
    };
    expect(await runOnce(replicas[1], ledger, [again], leaveMark(id))).toEqual([{ kind: 'reused' }]);
  });
});

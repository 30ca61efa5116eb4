import { randomUUID } from 'node:crypto';
import { createDatabase, type Database, isUniqueViolation, type Statement, traffic } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { PostgresLedger } from './ledger/postgres-ledger';
import { ledgerMigrations } from './ledger/migrations';
import { type BatchSteps, type Leased, runOnce } from './run-once';
import type { Answer } from './answer';
import { type CallOutside, type Outcome, type Work } from './settle';

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

const insertSeat: Statement = { name: 'test.insert-seat', text: 'insert into seat values ($1, 0, 0)' };
const selectRows: Statement = {
  name: 'test.select-rows',
  text: `select status, work, input, lease_token, leased_until > now() as lease_is_good, answer_status
         from ledger where scope = 's' and key = $1`,
};
const rowsOf = (key: string) => replicas[0].query<object>(selectRows, [key]);

/** Only the ledger prevents a second row of the effect in these steps. */
const leaveMark = (name: string): BatchSteps<null> => ({
  load: async () => null,
  decide: () => ({ status: 201, body: JSON.stringify({ id: randomUUID() }) }),
  save: (tx) => tx.send(insertEffect, [name]),
});
const bodyOf = (outcome: Outcome): string => {
  if (!('answer' in outcome)) throw new Error(`no answer but ${outcome.kind}`);
  return outcome.answer.body;
};

describe('a batch of which nothing is known at first', () => {
  /** Counts the reads too. */
  const blankly = (name: string) => {
    const seen = { loads: 0 };
    const steps: BatchSteps<null> = {
      ...leaveMark(name),
      load: async () => {
        seen.loads++;
        return null;
      },
      blank: () => null,
    };
    return { seen, steps };
  };
  const undoOf = (key: string): Work => ({
    ...workOf(`${key}/undo`),
    barrier: { key, refusal: { status: 409, body: '"undone"' } },
  });

  it('reads nothing: its works, their answers and the commit are one round trip', async () => {
    const { seen, steps } = blankly('presumed');
    const before = { ...traffic };
    const [outcome] = await runOnce(replicas[0], ledger, [workOf('presumed')], steps);
    expect(outcome!.kind).toBe('fresh');
    // begin, effect, answer, commit
    expect([traffic.roundTrips - before.roundTrips, traffic.statements - before.statements]).toEqual([1, 4]);
    expect([seen.loads, await effects('presumed')]).toEqual([0, 1]);
  });

  it('reads when one of its keys turns out to be used, and answers that one as before', async () => {
    const [first] = await runOnce(replicas[0], ledger, [workOf('not new')], leaveMark('not new'));
    const { seen, steps } = blankly('not new');
    const outcomes = await runOnce(replicas[1], ledger, [workOf('not new'), workOf('beside it')], steps);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['replayed', 'fresh']);
    expect(bodyOf(outcomes[0]!)).toBe(bodyOf(first!));
    expect(seen.loads).toBe(1);
    expect(await runOnce(replicas[1], ledger, [workOf('not new', 'y')], steps)).toEqual([{ kind: 'reused' }]);
  });

  it('reads when its caller names a failure that means a lost race', async () => {
    await replicas[0].query(insertSeat, ['taken before']);
    const { seen, steps } = blankly('taken before');
    const retryOn = (error: unknown) => isUniqueViolation(error, 'seat_pkey');
    const save: BatchSteps<null>['save'] = (tx, state) => {
      steps.save(tx, state);
      if (seen.loads === 0) tx.send(insertSeat, ['taken before']);
    };
    const [outcome] = await runOnce(replicas[0], ledger, [workOf('taken before')], { ...steps, save }, { retryOn });
    expect([outcome!.kind, seen.loads, await effects('taken before')]).toEqual(['fresh', 1, 1]);
  });

  it('reads at once when one of its works is an undo, whose do may have left more than its key', async () => {
    const { seen, steps } = blankly('with undo');
    const [undo, beside] = await runOnce(replicas[1], ledger, [undoOf('never came'), workOf('next to it')], steps);
    expect([undo!.kind, beside!.kind, seen.loads]).toEqual(['fresh', 'fresh', 1]);
    expect(await rowsOf('never came')).toMatchObject([{ answer_status: 409 }]);
  });

  it('R16 of a hundred at once over two pools exactly one runs, and all get its answer', async () => {
    const { steps } = blankly('new crowd');
    const runs = Array.from({ length: 100 }, (_, index) =>
      runOnce(replicas[index % 2]!, ledger, [workOf('new crowd')], steps),
    );
    const outcomes = (await Promise.all(runs)).flat();
    expect(await effects('new crowd')).toBe(1);
    expect(new Set(outcomes.map(bodyOf)).size).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === 'fresh')).toHaveLength(1);
  });
});

describe('R18 work that calls outside', () => {
  const beginning = (name: string): BatchSteps<null, Answer | CallOutside> => ({
    load: async () => null,
    decide: (_, index) => ({ leased: 'cook', input: { dish: `${name} ${index}` } }),
    save: (tx) => tx.send(insertEffect, [name]),
  });

  it('R18 is only begun: its key is pending under a token of its own, with all that is needed to carry it out', async () => {
    const works = [{ claim: { ...workOf('soup').claim, retentionHours: 5, redact: ['secret'] } }, workOf('stew')];
    const outcomes = await runOnce(replicas[0], ledger, works, beginning('dishes'), { leaseMs: 60_000 });
    expect(outcomes).toMatchObject([
      { kind: 'begun', claim: { key: 'soup' }, call: { leased: 'cook', input: { dish: 'dishes 0' } } },
      { kind: 'begun', claim: { key: 'stew' }, call: { leased: 'cook', input: { dish: 'dishes 1' } } },
    ]);
    const tokens = outcomes.map((outcome) => (outcome as Leased).token);
    expect(new Set(tokens).size).toBe(2);
    const pending = { status: 'pending', work: 'cook', lease_is_good: true };
    expect(await rowsOf('soup')).toMatchObject([
      {
        ...pending,
        lease_token: tokens[0],
        input: { input: { dish: 'dishes 0' }, retentionHours: 5, redact: ['secret'] },
      },
    ]);
    expect(await rowsOf('stew')).toMatchObject([
      { ...pending, lease_token: tokens[1], input: { input: { dish: 'dishes 1' } } },
    ]);
  });

  it('R17 leaves nothing of the batch when what is saved beside it fails', async () => {
    const steps = beginning('burnt');
    const save: typeof steps.save = (tx, state) => {
      steps.save(tx, state);
      tx.send({ name: 'test.zero', text: 'select 1 / 0' });
    };
    await expect(runOnce(replicas[0], ledger, [workOf('burnt')], { ...steps, save })).rejects.toThrow();
    expect([await rowsOf('burnt'), await effects('burnt')]).toEqual([[], 0]);
    const [outcome] = await runOnce(replicas[0], ledger, [workOf('burnt')], steps);
    expect([outcome!.kind, await effects('burnt')]).toEqual(['begun', 1]);
  });

  it('R16 is begun once for each key when two replicas begin the same ones', async () => {
    const works = Array.from({ length: 10 }, (_, index) => workOf(`both ${index}`));
    const [here, there] = await Promise.all([
      runOnce(replicas[0], ledger, works, { ...beginning('both'), blank: () => null }),
      runOnce(replicas[1], ledger, works.toReversed(), { ...beginning('both'), blank: () => null }),
    ]);
    const kinds = [here, there].map((outcomes) => [...new Set(outcomes.map(({ kind }) => kind))].join());
    expect(kinds.sort()).toEqual(['begun', 'in-use']);
    expect(await effects('both')).toBe(1);
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

  it.each<[string, BatchSteps<null>['save']]>([
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
    const steps = leaveMark(how);
    const failing: BatchSteps<null> = {
      ...steps,
      save: (tx, state) => {
        steps.save(tx, state);
        fail(tx, state);
      },
    };
    await expect(runOnce(replicas[0], ledger, [workOf(how)], failing)).rejects.toThrow();
    expect(await effects(how)).toBe(0);
    const [outcome] = await runOnce(replicas[0], ledger, [workOf(how)], steps);
    expect(outcome!.kind).toBe('fresh');
    expect(await effects(how)).toBe(1);
  });

  it('R16 loads and decides afresh after a lost race, so nothing of the first run is left over', async () => {
    const states: { marks: string[] }[] = [];
    const rival = workOf('rival');
    const works = [rival, workOf('own')];
    const outcomes = await runOnce<{ marks: string[] }>(replicas[0], ledger, works, {
      load: async (tx) => {
        const state = { marks: [] };
        states.push(state);
        // The first look into the ledger has been answered by now. The rival commits after both reads.
        await tx.query(countEffects, ['rival']);
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
    const steps = { ...leaveMark(mark), decide: () => answer };
    await expect(runOnce(replicas[0], ledger, [workOf(mark)], steps)).rejects.toThrow(reason);
    expect(await effects(mark)).toBe(0);
  });

  it('R16 finds a key in use while somebody works on it under a lease', async () => {
    const work = workOf('leased');
    await replicas[0].transaction(async (tx) =>
      ledger.lease(tx, [{ ...work.claim, token: randomUUID(), work: 'cook', input: null }], {
        owner: 'me',
        durationMs: 60_000,
      }),
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

  /** A participant that takes a seat and frees it again. It relies on the barrier and checks nothing itself. */
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

  /** The expected result of one order of arrival: the one that came first decides. */
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

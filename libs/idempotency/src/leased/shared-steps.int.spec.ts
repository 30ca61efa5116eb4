/** Points that leased works reach together with others, on PostgreSQL. */
import { createDatabase, rowsOf, type Statement, type Tx } from '@shop/postgres';
import { applyMigrations, CountedDatabase } from '@shop/postgres/testing';
import { eventually, useStack } from '@shop/testing';
import { answerWith } from '../answer';
import { Idempotency } from '../idempotency';
import { ledgerMigrations } from '../ledger/migrations';
import { PostgresLedger } from '../ledger/postgres-ledger';
import type { Claim, Outcome } from '../settle';
import type { LeasedWork } from './leased-work';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

/** Long enough that no lease runs out by itself here. */
const LEASE_MS = 60_000;

let database: CountedDatabase;
beforeAll(async () => {
  database = new CountedDatabase(createDatabase({ url: stack.databaseUrl, applicationName: 'test' }).dataSource);
  await database.connect();
  await database.query({ name: 'test.intent', text: 'create table intent (id text, charge text, by text)' });
});
afterAll(() => database.close());

type Intent = {
  id: string;
  charge: string;
  by: string;
};

const insertIntents: Statement = {
  name: 'test.insert-intents',
  text: 'insert into intent select id, charge, by from jsonb_to_recordset($1::jsonb) as i (id text, charge text, by text)',
};
const selectIntents: Statement = {
  name: 'test.select-intents',
  text: 'select id, by from intent where charge = any($1) order by charge',
};
const selectPoints: Statement = { name: 'test.points', text: 'select recovery from ledger where key = $1' };
const ageLease: Statement = {
  name: 'test.age-lease',
  text: `update ledger set leased_until = now() - interval '1 second' where key = $1 and status = 'pending'`,
};

const claimOf = (key: string): Claim => ({ scope: 's', key, fingerprint: Buffer.alloc(32) });
const makersOf = async (...charges: string[]) =>
  (await database.query<Intent>(selectIntents, [charges])).map(({ by }) => by);
const pointsOf = async (key: string) => (await database.query<{ recovery: object }>(selectPoints, [key]))[0]!.recovery;
const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind);

/** The works at a gate wait until the test opens it. */
class Gate {
  standing: string[] = [];
  private readonly opened = new Set<() => void>();

  async pass(name: string): Promise<void> {
    this.standing.push(name);
    await new Promise<void>((resolve) => this.opened.add(resolve));
  }

  open(): void {
    this.standing = [];
    for (const resolve of this.opened) resolve();
    this.opened.clear();
  }

  holds(...names: string[]): Promise<void> {
    return eventually(() => expect([...this.standing].sort()).toEqual([...names].sort()));
  }
}

/** A replica whose works make an intent, keep its id, and confirm it. They wait before the point and behind it. */
class Replica {
  readonly works = new Idempotency(database, new PostgresLedger(), { leaseMs: LEASE_MS }).works;
  readonly before = new Gate();
  readonly behind = new Gate();
  /** The charges for which the provider was asked for an intent, and what the works saw behind their points. */
  readonly asked: string[] = [];
  readonly seen = new Map<string, [intent: Intent, undone: boolean]>();
  /** The number of rows that were saved together, for each save. */
  readonly saved: number[] = [];

  constructor(private readonly name: string) {
    this.works.define<string>('charge', (work, charge) => this.charge(work, charge));
  }

  charges(...charges: string[]): Promise<Outcome>[] {
    const charging = charges.map((charge) => this.works.perform('charge', claimOf(charge), charge));
    // The test looks at the result later.
    for (const one of charging) one.catch(() => undefined);
    return charging;
  }

  private async charge(work: LeasedWork, charge: string) {
    const ask = async () => {
      this.asked.push(charge);
      await this.before.pass(charge);
      return `intent of ${charge}`;
    };
    const rowOf = (id: string): Intent => ({ id, charge, by: this.name });
    const intent = await work.callWith('intent', ask, this.save, rowOf, charge.split(' ')[0]);
    this.seen.set(charge, [intent, work.undone]);
    await this.behind.pass(charge);
    return work.finishWith(answerWith(200, intent.by), () => undefined, null);
  }

  private readonly save = (tx: Tx, intents: readonly Intent[]): void => {
    this.saved.push(intents.length);
    tx.send(insertIntents, [rowsOf(intents)]);
    if (intents.some(({ charge }) => charge.endsWith('bad'))) throw new Error('one of them is bad');
  };
}

describe('R18 points that works reach at the same time', () => {
  it('R18 share one transaction, and what comes of them is saved together', async () => {
    const replica = new Replica('ann');
    const names = Array.from({ length: 20 }, (_, index) => `together ${index}`);
    const charging = replica.charges(...names);
    await replica.before.holds(...names);
    const before = database.transactions;
    replica.before.open();
    await replica.behind.holds(...names);
    expect([database.transactions - before, replica.saved]).toEqual([1, [20]]);
    expect(await makersOf(...names)).toEqual(names.map(() => 'ann'));
    const intent = { id: 'intent of together 7', charge: 'together 7', by: 'ann' };
    expect([await pointsOf('together 7'), replica.seen.get('together 7')]).toEqual([{ intent }, [intent, false]]);
    replica.behind.open();
    expect(new Set(kinds(await Promise.all(charging)))).toEqual(new Set(['fresh']));
    expect(database.transactions - before).toBe(2);
  });

  it('R18 share it with the ends of others', async () => {
    const replica = new Replica('ann');
    const ending = replica.charges('mixed 1', 'mixed 2');
    await replica.before.holds('mixed 1', 'mixed 2');
    replica.before.open();
    await replica.behind.holds('mixed 1', 'mixed 2');
    const reaching = replica.charges('mixed 3', 'mixed 4');
    await replica.before.holds('mixed 3', 'mixed 4');
    const before = database.transactions;
    replica.before.open();
    replica.behind.open();
    expect(kinds(await Promise.all(ending))).toEqual(['fresh', 'fresh']);
    await replica.behind.holds('mixed 3', 'mixed 4');
    expect(database.transactions - before).toBe(1);
    replica.behind.open();
    expect(kinds(await Promise.all(reaching))).toEqual(['fresh', 'fresh']);
  });

  it('R18 are reached without one whose lease was taken over, which writes nothing of its own', async () => {
    const [slow, heir] = [new Replica('slow'), new Replica('heir')];
    const charging = slow.charges('lost 1', 'lost 2', 'lost 3');
    await slow.before.holds('lost 1', 'lost 2', 'lost 3');
    await database.query(ageLease, ['lost 2']);
    const inherited = heir.works.resume({ scope: 's', key: 'lost 2' });
    await heir.before.holds('lost 2');
    slow.before.open();
    await slow.behind.holds('lost 1', 'lost 3');
    expect(await charging[1]).toEqual({ kind: 'in-use' });
    expect(await makersOf('lost 1', 'lost 2', 'lost 3')).toEqual(['slow', 'slow']);
    heir.before.open();
    await heir.behind.holds('lost 2');
    heir.behind.open();
    slow.behind.open();
    expect(await inherited).toMatchObject({ kind: 'fresh', resumed: true, answer: { body: '"heir"' } });
    expect(kinds(await Promise.all([charging[0]!, charging[2]!]))).toEqual(['fresh', 'fresh']);
    expect(await makersOf('lost 1', 'lost 2', 'lost 3')).toEqual(['slow', 'heir', 'slow']);
  });

  it('R17 are reached without one that cannot be saved, and each of the others is saved once', async () => {
    const replica = new Replica('ann');
    const charging = replica.charges('one good', 'one bad', 'one fine');
    await replica.before.holds('one good', 'one bad', 'one fine');
    replica.before.open();
    await replica.behind.holds('one good', 'one fine');
    await expect(charging[1]).rejects.toMatchObject({ code: 'outcome_unknown' });
    replica.behind.open();
    expect(kinds(await Promise.all([charging[0]!, charging[2]!]))).toEqual(['fresh', 'fresh']);
    expect(await makersOf('one good', 'one bad', 'one fine')).toEqual(['ann', 'ann']);
  });

  it('R18 are not reached again by whoever resumes the work, and the call before them is not made again', async () => {
    const [dead, heir] = [new Replica('dead'), new Replica('heir')];
    const charging = dead.charges('resumed');
    await dead.before.holds('resumed');
    dead.before.open();
    await dead.behind.holds('resumed');
    await database.query(ageLease, ['resumed']);
    const inherited = heir.works.resume({ scope: 's', key: 'resumed' });
    await heir.behind.holds('resumed');
    expect([heir.asked, heir.saved, heir.seen.get('resumed')![0].by]).toEqual([[], [], 'dead']);
    heir.behind.open();
    expect(await inherited).toMatchObject({ kind: 'fresh', resumed: true, answer: { body: '"dead"' } });
    dead.behind.open();
    expect(kinds(await Promise.all(charging))).toEqual(['in-use']);
    expect(await makersOf('resumed')).toEqual(['dead']);
  });

  it('R4 tell each work whether it is marked', async () => {
    const replica = new Replica('ann');
    const charging = replica.charges('told 1', 'told 2', 'told 3');
    await replica.before.holds('told 1', 'told 2', 'told 3');
    await database.transaction(async (tx) => new PostgresLedger().mark(tx, [{ scope: 's', key: 'told 2' }]));
    replica.before.open();
    await replica.behind.holds('told 1', 'told 2', 'told 3');
    const undone = ['told 1', 'told 2', 'told 3'].map((charge) => replica.seen.get(charge)![1]);
    expect([undone, replica.saved]).toEqual([[false, true, false], [3]]);
    replica.behind.open();
    expect(kinds(await Promise.all(charging))).toEqual(['fresh', 'fresh', 'fresh']);
  });
});

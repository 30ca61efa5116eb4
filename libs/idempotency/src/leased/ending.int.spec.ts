/** How leased works end, alone and with others, on PostgreSQL. */
import { createDatabase, rowsOf, type Statement, type Tx } from '@shop/postgres';
import { applyMigrations, CountedDatabase } from '@shop/postgres/testing';
import { eventually, useStack } from '@shop/testing';
import type { Answer } from '../answer';
import { Idempotency } from '../idempotency';
import { ledgerMigrations } from '../ledger/migrations';
import { PostgresLedger } from '../ledger/postgres-ledger';
import type { Claim, Outcome } from '../settle';
import type { LeasedRun } from './leased-work';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

/** Long enough that no lease runs out by itself here. */
const LEASE_MS = 60_000;

let database: CountedDatabase;
beforeAll(async () => {
  database = new CountedDatabase(createDatabase({ url: stack.databaseUrl, applicationName: 'test' }).dataSource);
  await database.connect();
  await database.query({ name: 'test.dish', text: 'create table dish (name text, by text)' });
});
afterAll(() => database.close());

type Dish = { name: string; by: string };

const insertDishes: Statement = {
  name: 'test.insert-dishes',
  text: 'insert into dish select name, by from jsonb_to_recordset($1::jsonb) as d (name text, by text)',
};
const selectDishes: Statement = {
  name: 'test.select-dishes',
  text: 'select by from dish where name = any($1) order by name',
};
const ageLease: Statement = {
  name: 'test.age-lease',
  text: `update ledger set leased_until = now() - interval '1 second' where key = $1 and status = 'pending'`,
};

const claimOf = (key: string): Claim => ({ scope: 's', key, fingerprint: Buffer.alloc(32) });
const cooksOf = async (...names: string[]) =>
  (await database.query<{ by: string }>(selectDishes, [names])).map(({ by }) => by);
const entryOf = async (key: string) => (await new PostgresLedger().find(database, [{ scope: 's', key }]))[0];
const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind);
const cooked: Answer = { status: 200, body: '"cooked"' };

/** A replica whose works wait at the stove until the test lets all of them end at once. */
class Kitchen {
  readonly idempotency = new Idempotency(database, new PostgresLedger(), { leaseMs: LEASE_MS });
  standing: string[] = [];
  /** The number of rows that were saved together, for each save. */
  readonly saved: number[] = [];
  private open: () => void = () => undefined;
  private ready = new Promise<void>((resolve) => (this.open = resolve));

  constructor(
    private readonly name: string,
    private readonly answerOf: (dish: string) => Answer = () => cooked,
  ) {
    this.idempotency.works.define<string>('cook', this.run);
  }

  /** Begins all of these works, and waits until each of them is at the stove. */
  async begin(...dishes: string[]): Promise<Promise<Outcome>[]> {
    const cooking = dishes.map((dish) => this.idempotency.works.perform('cook', claimOf(dish), dish));
    // The test looks at the result later.
    for (const one of cooking) one.catch(() => undefined);
    await eventually(() => expect([...this.standing].sort()).toEqual([...dishes].sort()));
    return cooking;
  }

  letEnd(): void {
    this.open();
  }

  private readonly run: LeasedRun<string> = async (work, dish) => {
    this.standing.push(dish);
    await this.ready;
    return work.finishWith(this.answerOf(dish), this.save, { name: dish, by: this.name });
  };

  private readonly save = (tx: Tx, dishes: readonly Dish[]): void => {
    if (dishes.length === 1 && dishes[0]!.name.startsWith('burnt')) throw new Error('it is burnt');
    this.saved.push(dishes.length);
    tx.send(insertDishes, [rowsOf(dishes)]);
    if (dishes.some(({ name }) => name.startsWith('burnt'))) throw new Error('one of them is burnt');
  };
}

describe('R18 leased works that end at the same time', () => {
  it('R18 share one transaction, and what comes of them is saved together', async () => {
    const kitchen = new Kitchen('ann');
    const names = Array.from({ length: 20 }, (_, index) => `shared ${index}`);
    const cooking = await kitchen.begin(...names);
    const before = database.transactions;
    kitchen.letEnd();
    expect(new Set(kinds(await Promise.all(cooking)))).toEqual(new Set(['fresh']));
    expect([database.transactions - before, kitchen.saved]).toEqual([1, [20]]);
    expect(await cooksOf(...names)).toEqual(names.map(() => 'ann'));
    expect(await entryOf(names[7]!)).toMatchObject({ status: 'completed', answer: cooked });
  });

  it('R18 do so without one whose lease was taken over, which writes nothing of its own', async () => {
    const [slow, heir] = [new Kitchen('slow'), new Kitchen('heir')];
    const cooking = await slow.begin('lost 1', 'lost 2', 'lost 3');
    await database.query(ageLease, ['lost 2']);
    const inherited = heir.idempotency.works.resume({ scope: 's', key: 'lost 2' });
    heir.letEnd();
    expect(await inherited).toMatchObject({ kind: 'fresh', resumed: true });
    slow.letEnd();
    expect(kinds(await Promise.all(cooking))).toEqual(['fresh', 'in-use', 'fresh']);
    expect(await cooksOf('lost 1', 'lost 2', 'lost 3')).toEqual(['slow', 'heir', 'slow']);
  });

  it('R17 do so without one that cannot be saved, and each of the others is saved once', async () => {
    const kitchen = new Kitchen('ann');
    const [good, burnt, fine] = await kitchen.begin('good', 'burnt', 'fine');
    kitchen.letEnd();
    await expect(burnt).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(kinds(await Promise.all([good!, fine!]))).toEqual(['fresh', 'fresh']);
    expect(await cooksOf('good', 'burnt', 'fine')).toEqual(['ann', 'ann']);
    expect(await entryOf('burnt')).toMatchObject({ status: 'pending', leaseExpired: true });
  });

  it('R19 free the keys of those whose answer is not kept, beside those whose answer is', async () => {
    const passing: Answer = { status: 409, body: '"no salt"', kept: false };
    const kitchen = new Kitchen('ann', (dish) => (dish === 'saltless' ? passing : cooked));
    const cooking = await kitchen.begin('saltless', 'salty');
    kitchen.letEnd();
    expect(await Promise.all(cooking)).toMatchObject([
      { kind: 'fresh', answer: passing },
      { kind: 'fresh', answer: cooked },
    ]);
    expect([await entryOf('saltless'), await entryOf('salty')]).toMatchObject([undefined, { status: 'completed' }]);
    const again = new Kitchen('bob');
    const [second] = await again.begin('saltless');
    again.letEnd();
    // This is a new run, not a resumed one.
    expect(await second).toEqual({ kind: 'fresh', answer: cooked, resumed: false });
  });
});

describe('R18 a last step of its own', () => {
  it('R18 holds up nobody else, however long it takes', async () => {
    const { works } = new Idempotency(database, new PostgresLedger(), { leaseMs: LEASE_MS });
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let isHeld = false;
    works.define('slow', (work) =>
      work.finish(async () => {
        isHeld = true;
        await held;
        return cooked;
      }),
    );
    works.define('quick', (work) => work.finish(() => cooked));
    works.define('shared', (work) => work.finishWith(cooked, () => undefined, null));
    const slow = works.perform('slow', claimOf('slow'), null);
    await eventually(() => expect(isHeld).toBe(true));
    expect(await works.perform('quick', claimOf('quick'), null)).toMatchObject({ kind: 'fresh' });
    expect(await works.perform('shared', claimOf('quick too'), null)).toMatchObject({ kind: 'fresh' });
    letGo();
    expect(await slow).toMatchObject({ kind: 'fresh' });
  });
});

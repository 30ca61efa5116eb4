/** What a service notes of the events of others, on PostgreSQL, with two replicas. */
import { randomUUID } from 'node:crypto';
import { Idempotency, ledgerMigrations, PostgresLedger } from '@shop/idempotency';
import { defineEvent, type Message, newEvent } from '@shop/messaging';
import { createDatabase, type Database, type Tx } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { IsInt, IsUUID } from 'class-validator';
import { type EventSet, Listener, onEvent } from './listener';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

class ArrivedBody {
  @IsUUID() parcel: string;
  @IsInt() weight: number;
}

const Arrived = defineEvent({ service: 'dock', name: 'arrived', version: 1, body: ArrivedBody });
const Left = defineEvent({ service: 'dock', name: 'left', version: 1, body: ArrivedBody });

/** The table refuses this weight, as a bad row would be refused. */
const TOO_HEAVY = 1_000;

class Parcels implements EventSet<{ parcel: string; weight: number }[]> {
  readonly handlers = [onEvent(Arrived, (notes: { parcel: string; weight: number }[], { body }) => notes.push(body))];
  load = async () => [];
  save(tx: Tx, notes: { parcel: string; weight: number }[]): void {
    const text = `insert into parcel_note (parcel, weight) select * from unnest($1::uuid[], $2::int[])`;
    tx.send({ name: 'test.note', text }, [notes.map(({ parcel }) => parcel), notes.map(({ weight }) => weight)]);
  }
}

let database: Database;
let one: Listener<unknown>;
let other: Listener<unknown>;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  await database.dataSource.query('create table parcel_note (parcel uuid, weight int check (weight < 1000))');
  const open = () =>
    new Listener('shed', database, new Idempotency(database, new PostgresLedger()), new Parcels() as EventSet<unknown>);
  [one, other] = [open(), open()];
});
afterAll(() => database.close());

function arrival(weight = 3): Message<ArrivedBody> {
  const parcel = randomUUID();
  return newEvent(Arrived, { id: `${parcel}/arrived`, subject: parcel, data: { parcel, weight } });
}

const notesOf = async ({ data: { parcel } }: Message<ArrivedBody>): Promise<number[]> =>
  (
    await database.query<{ weight: number }>(
      { name: 'test.notes', text: 'select weight from parcel_note where parcel = $1' },
      [parcel],
    )
  ).map(({ weight }) => weight);

const take = ({ promises }: { promises: Promise<unknown>[] }) => Promise.allSettled(promises);
const deliveries = (messages: Message[]) => messages.map((message) => ({ message, suspect: false }));

describe('R22 an event', () => {
  it('R22 is noted once, however often and to whichever replica it comes', async () => {
    const event = arrival();
    const repeats = deliveries(Array<Message>(30).fill(event));
    await Promise.all([take(one.take(repeats)), take(other.take(repeats))]);
    await one.note(event);
    expect(await notesOf(event)).toEqual([3]);
  });

  it('that cannot be noted leaves the others of its batch alone, and is delivered again', async () => {
    const events = [arrival(), arrival(TOO_HEAVY), arrival()];
    const outcomes = await take(one.take(deliveries(events)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await Promise.all(events.map(notesOf))).toEqual([[3], [], [3]]);
  });

  it('of a type that nobody here asked for is left to others', async () => {
    const event = arrival();
    await one.note(newEvent(Left, event));
    expect(await notesOf(event)).toEqual([]);
  });

  it('that cannot be read, or has the id of another one, is not noted and fails for good', async () => {
    const event = arrival();
    await one.note(event);
    await expect(other.note({ ...event, data: { ...event.data, weight: 4 } })).rejects.toThrow('another event');
    await expect(one.note({ ...arrival(), data: { weight: 'three' } })).rejects.toThrow('cannot be read');
    expect(await notesOf(event)).toEqual([3]);
  });
});

import 'reflect-metadata';
import { useStack } from '@shop/testing';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { absentIfNull, isoTime } from './columns';
import { createDatabase, type Database } from './database';

@Entity('parcel')
class Parcel {
  @PrimaryColumn('text') id: string;
  @Column('bigint') weight: number;
  @Column('text', { nullable: true, transformer: absentIfNull }) note?: string;
  @Column('timestamptz', { name: 'sent_at', transformer: isoTime }) sentAt: string;
}

const stack = useStack();
let database: Database;
const tables = () => database.dataSource.query<{ name: string }[]>('select relname as name from pg_class');

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test', entities: [Parcel] });
  await database.connect();
});
afterAll(() => database.close());

describe('entities', () => {
  it('make no tables: the migrations do', async () => {
    expect((await tables()).map(({ name }) => name)).not.toContain('parcel');
  });

  it('read bigint as a number, a time as its ISO text, and null as undefined where they say so', async () => {
    await database.dataSource.query(
      'create table parcel (id text primary key, weight bigint not null, note text, sent_at timestamptz not null)',
    );
    const parcels = database.dataSource.getRepository(Parcel);
    const sentAt = '2026-01-31T23:59:59.999Z';
    await parcels.insert({ id: 'one', weight: Number.MAX_SAFE_INTEGER, sentAt });
    await parcels.insert({ id: 'two', weight: 2, note: 'fragile', sentAt });
    expect(await parcels.find({ order: { id: 'ASC' } })).toEqual([
      { id: 'one', weight: Number.MAX_SAFE_INTEGER, note: undefined, sentAt },
      { id: 'two', weight: 2, note: 'fragile', sentAt },
    ]);
  });
});

/** The sizes of the tables of the service, such as its ledger, as PostgreSQL estimates them. Nothing is counted for it. */
import { gauge, type Logger } from '@shop/observability';
import type { Database, Statement } from '@shop/postgres';
import { Repeating } from '@shop/resilience';

/** Tables grow slowly. */
const LOOK_EVERY_MS = 60_000;

const rows = gauge('postgres_table_rows', 'Rows of a table, by the estimate of PostgreSQL', ['table']);
const dead = gauge('postgres_table_dead_rows', 'Dead rows of a table, by the estimate of PostgreSQL', ['table']);
const bytes = gauge('postgres_table_bytes', 'Size of a table with its indexes', ['table']);

export class TableSizes {
  private readonly looking: Repeating;

  constructor(database: Database, logger: Logger) {
    const look = async () => {
      for (const { table, ...size } of await database.query<Size>(selectSizes)) {
        rows.set({ table }, size.rows);
        dead.set({ table }, size.dead);
        bytes.set({ table }, size.bytes);
      }
    };
    this.looking = new Repeating(look, {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'service.table_sizes.unknown'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }
}

interface Size {
  table: string;
  rows: number;
  dead: number;
  bytes: number;
}

const selectSizes: Statement = {
  name: 'service.select-table-sizes',
  text: `
    select relname::text as table, n_live_tup as rows, n_dead_tup as dead, pg_total_relation_size(relid) as bytes
    from pg_stat_user_tables where schemaname = current_schema()`,
};

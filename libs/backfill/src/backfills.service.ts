/** Reads the backfills of this service, and carries out what operators tell them. */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@shop/http';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import type { Backfill } from './backfill';
import { type BackfillRow, listBackfills, lockBackfill, moveBackfill } from './backfill.repository';
import { moveOf, type Refusal, type Wish } from './backfill-state';
import type { BackfillView } from './backfill.view';

/** The backfills of this service, as its code has them. */
export const BACKFILLS = Symbol('backfills');

@Injectable()
export class BackfillsService {
  private readonly byName: ReadonlyMap<string, Backfill>;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(BACKFILLS) backfills: readonly Backfill[],
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.byName = new Map(backfills.map((backfill) => [backfill.name, backfill]));
  }

  async list(page: { after: string; limit: number }): Promise<BackfillView[]> {
    const rows = await listBackfills(this.database, { ...page, names: [...this.byName.keys()] });
    return rows.map((row) => this.viewOf(row));
  }

  /** @throws Problem 404 `backfill_not_found` */
  async get(name: string): Promise<BackfillView> {
    const [row] = this.byName.has(name)
      ? await listBackfills(this.database, { names: [name], after: '', limit: 1 })
      : [];
    if (!row) throw notFound();
    return this.viewOf(row);
  }

  /** The same again changes nothing. @throws Problem 404 `backfill_not_found`, or 409 */
  async tell(
    caller: Caller,
    name: string,
    { ratePerSecond, ...wish }: Wish & { ratePerSecond?: number },
  ): Promise<BackfillView> {
    if (!this.byName.has(name)) throw notFound();
    const { move, row } = await this.database.transaction(async (tx) => {
      const move = moveOf(await lockBackfill(tx, name), wish);
      if (typeof move === 'object') throw new Problem(409, move.refused, said[move.refused]);
      return { move, row: await moveBackfill(tx, name, move, ratePerSecond) };
    });
    const { status, runs } = row;
    const by = `${caller.tenant}/${caller.principal}`;
    this.logger.info({ backfill: name, by, move, status, runs, ratePerSecond: row.ratePerSecond }, 'backfill.told');
    return this.viewOf(row);
  }

  private viewOf({ name, ...row }: BackfillRow): BackfillView {
    const { title, ratePerSecond } = this.byName.get(name)!;
    return { ...row, name, title, ratePerSecond: row.ratePerSecond ?? ratePerSecond };
  }
}

const notFound = () => new Problem(404, 'backfill_not_found', 'there is no such backfill in this service');

const said: Record<Refusal, string> = {
  backfill_done: 'it is done; say the number of the next run to begin it from the beginning',
  backfill_run_unknown: 'that run is neither a run so far nor the next one of a backfill that is over',
  backfill_not_running: 'it does not run, so it cannot be paused',
};

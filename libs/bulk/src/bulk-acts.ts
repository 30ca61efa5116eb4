/** Makes, shows and stops the bulk acts of one kind. Workers of all replicas carry them out. */
import { type Caller, type Page, readPage } from '@shop/http';
import { answerWith, type Claim, type Idempotency, type Outcome } from '@shop/idempotency';
import type { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { isUUID } from 'class-validator';
import { v7 as uuidv7 } from 'uuid';
import { type BulkAct, type BulkRow, MAX_BULK_ROWS } from './bulk-act';
import { bulkActJson, type BulkActsQuery, type BulkRowsQuery } from './bulk-act.view';
import {
  type BulkSet,
  countRunning,
  findBulkAct,
  freezeBulkAct,
  listBulkActs,
  listBulkRows,
  stopBulkAct,
} from './bulk-acts.repository';

export interface BulkActsOptions {
  set: BulkSet;
  /** Where its routes are, such as `/saga-batches`. */
  path: string;
  /** What there are so many of, in a sentence. */
  subjects: string;
  /** The member that each filter has, and that by itself means everything. */
  always: string;
  /** The code for an id that the tenant has not. */
  notFound: string;
  /** What the set asks for behind the tenant and the filter. */
  valuesOf?: (caller: Caller) => unknown[];
}

/** What an operator wants. */
export interface BulkWish {
  act: string;
  reason?: string;
  filter: object;
  expected: number;
  ratePerSecond: number;
}

/** A replica works on a few at once; the others wait. */
const MAX_RUNNING_PER_TENANT = 20;

export abstract class BulkActs {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly options: BulkActsOptions,
  ) {}

  /** @throws Problem 400 `filter_required`; 409 `set_changed`, `too_many_batches`; 422 `batch_too_large` */
  make(caller: Caller, claim: Claim, wish: BulkWish): Promise<Outcome> {
    const { set, path, subjects, always, valuesOf } = this.options;
    const { act, reason, filter, expected, ratePerSecond } = wish;
    const { tenant, principal: madeBy } = caller;
    const named = Object.entries(filter).filter(([name, value]) => name !== always && value !== undefined);
    if (named.length === 0) {
      throw new Problem(
        400,
        'filter_required',
        `say which ${subjects} you mean: the filter has to have one more member`,
      );
    }
    return this.idempotency.once(claim, async (tx) => {
      if ((await countRunning(tx, set.kind, tenant)) >= MAX_RUNNING_PER_TENANT) {
        throw new Problem(409, 'too_many_batches', `${MAX_RUNNING_PER_TENANT} batches run; wait for one, or stop one`);
      }
      const id = uuidv7();
      const asked = { id, tenant, act, reason, filter, madeBy, ratePerSecond };
      const found = await freezeBulkAct(tx, set, asked, expected, valuesOf?.(caller));
      if (found > MAX_BULK_ROWS) {
        throw new Problem(422, 'batch_too_large', `a batch has at most ${MAX_BULK_ROWS} rows; narrow the filter`);
      }
      if (found !== expected) {
        const detail = `${found} ${subjects} fit the filter by now, and not ${expected}; nothing was done`;
        throw new Problem(409, 'set_changed', detail, { extensions: { count: found } });
      }
      const made = await findBulkAct(tx, { kind: set.kind, tenant, id });
      return answerWith(201, bulkActJson(made!), { location: `${path}/${id}` });
    });
  }

  list({ tenant }: Caller, { cursor: before, limit }: BulkActsQuery): Promise<Page<Omit<BulkAct, 'tenant'>>> {
    const { kind } = this.options.set;
    const read = (limit: number) => listBulkActs(this.database, { kind, tenant, before, limit });
    return readPage(limit, read, { item: bulkActJson, cursor: ({ id }) => id });
  }

  /** @throws Problem, also for one of another tenant */
  async get({ tenant }: Caller, id: string): Promise<Omit<BulkAct, 'tenant'>> {
    const { set, notFound } = this.options;
    const place = { kind: set.kind, tenant, id: id.toLowerCase() };
    const act = isUUID(id) ? await findBulkAct(this.database, place) : undefined;
    if (!act) throw new Problem(404, notFound, 'there is no batch with this id');
    return bulkActJson(act);
  }

  /** @throws Problem */
  async rowsOf<Item>(
    caller: Caller,
    id: string,
    { cursor = '0', outcome, limit }: BulkRowsQuery,
    item: (row: BulkRow) => Item,
  ): Promise<Page<Item>> {
    const act = await this.get(caller, id);
    const read = (limit: number) => listBulkRows(this.database, { id: act.id, outcome, after: Number(cursor), limit });
    return readPage(limit, read, { item, cursor: ({ position }) => String(position) });
  }

  /** @throws Problem */
  async stop(caller: Caller, id: string): Promise<void> {
    const { id: known } = await this.get(caller, id);
    const place = { kind: this.options.set.kind, tenant: caller.tenant, id: known };
    await stopBulkAct(this.database, place, caller.principal);
  }
}

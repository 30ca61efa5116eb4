/** Makes, shows and stops acts on many parked sagas. Workers of all replicas carry them out. */
import { Injectable } from '@nestjs/common';
import type { Caller } from '@shop/http';
import { answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import {
  type BatchRow,
  countRunning,
  findBatch,
  freezeBatch,
  listBatches,
  listBatchRows,
  MAX_BATCH_ROWS,
  type RowOutcome,
  type SagaBatch,
  stopBatch,
} from '@shop/saga';
import { isUUID } from 'class-validator';
import { v7 as uuidv7 } from 'uuid';
import { batchJson, type SagaBatchBody } from './saga-batch.view';

/** A replica works on a few at once; the others wait. */
const MAX_RUNNING_PER_TENANT = 20;

@Injectable()
export class SagaBatchesService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  /** @throws Problem 400 `filter_required`; 409 `set_changed`, `too_many_batches`; 422 `batch_too_large` */
  make({ tenant, principal }: Caller, claim: Claim, body: SagaBatchBody): Promise<Outcome> {
    const { act, reason, expected, ratePerSecond } = body;
    const { status: _, ...asked } = body.filter;
    const filter = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    if (Object.keys(filter).length === 0) {
      throw new Problem(400, 'filter_required', 'say which parked sagas you mean: by definition, step, reason or age');
    }
    return this.idempotency.once(claim, async (tx) => {
      if ((await countRunning(tx, tenant)) >= MAX_RUNNING_PER_TENANT) {
        throw new Problem(409, 'too_many_batches', `${MAX_RUNNING_PER_TENANT} batches run; wait for one, or stop one`);
      }
      const id = uuidv7();
      const found = await freezeBatch(
        tx,
        { id, tenant, act, reason, filter, madeBy: principal, ratePerSecond },
        expected,
      );
      if (found > MAX_BATCH_ROWS) {
        throw new Problem(422, 'batch_too_large', `a batch has at most ${MAX_BATCH_ROWS} sagas; narrow the filter`);
      }
      if (found !== expected) {
        const detail = `${found} parked sagas fit the filter by now, and not ${expected}; nothing was done`;
        throw new Problem(409, 'set_changed', detail, { extensions: { count: found } });
      }
      return answerWith(201, batchJson((await findBatch(tx, tenant, id))!), { location: `/saga-batches/${id}` });
    });
  }

  list(page: { tenant: string; before?: string; limit: number }): Promise<SagaBatch[]> {
    return listBatches(this.database, page);
  }

  /** @throws Problem 404 `saga_batch_not_found`, also for one of another tenant */
  async get(tenant: string, id: string): Promise<SagaBatch> {
    const batch = isUUID(id) ? await findBatch(this.database, tenant, id.toLowerCase()) : undefined;
    if (!batch) throw new Problem(404, 'saga_batch_not_found', 'there is no batch with this id');
    return batch;
  }

  /** @throws Problem 404 `saga_batch_not_found` */
  async rows(
    tenant: string,
    id: string,
    page: { outcome?: RowOutcome; after: number; limit: number },
  ): Promise<BatchRow[]> {
    const batch = await this.get(tenant, id);
    return listBatchRows(this.database, { id: batch.id, ...page });
  }

  /** @throws Problem 404 `saga_batch_not_found` */
  async stop({ tenant, principal }: Caller, id: string): Promise<void> {
    const batch = await this.get(tenant, id);
    await stopBatch(this.database, tenant, batch.id, principal);
  }
}

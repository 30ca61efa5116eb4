/** Acts on many parked sagas. */
import { Injectable } from '@nestjs/common';
import { BulkActs } from '@shop/bulk';
import { Idempotency } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { parkedSagas } from '@shop/saga';

@Injectable()
export class SagaBatchesService extends BulkActs {
  constructor(database: Database, idempotency: Idempotency) {
    super(database, idempotency, {
      set: parkedSagas,
      path: '/saga-batches',
      subjects: 'parked sagas',
      always: 'status',
      notFound: 'saga_batch_not_found',
    });
  }
}

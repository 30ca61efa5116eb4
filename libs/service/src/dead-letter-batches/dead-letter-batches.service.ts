/** Acts on many dead letters. */
import { Injectable } from '@nestjs/common';
import { BulkActs } from '@shop/bulk';
import { Idempotency } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { reachOf } from '../dead-letters.service';
import { openLetters } from './dead-letter-batches';

@Injectable()
export class DeadLetterBatchesService extends BulkActs {
  constructor(database: Database, idempotency: Idempotency) {
    super(database, idempotency, {
      set: openLetters,
      path: '/dead-letter-batches',
      subjects: 'open dead letters',
      always: 'state',
      notFound: 'dead_letter_batch_not_found',
      valuesOf: (caller) => [reachOf(caller).unowned],
    });
  }
}

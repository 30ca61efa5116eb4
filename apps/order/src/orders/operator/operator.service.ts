/**
 * Sagas for operators: what they see and what they do. The move, its line in the history and the stored answer are one
 * commit.
 */
import { Injectable } from '@nestjs/common';
import { answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import {
  type ListedSaga,
  listSagas,
  type NotMoved,
  type OpenStatus,
  type OperatorEvent,
  readSaga,
  SagaEngine,
  type SagaView,
} from '@shop/saga';
import { isUUID } from 'class-validator';
import type { PlaceOrder } from '../sagas/place-order.saga';

export interface Act {
  claim: Claim;
  tenant: string;
  sagaId: string;
  event: OperatorEvent;
}

/** A stored answer has a size limit, and a saga that was retried all night has a long history. */
const MAX_ANSWERED_HISTORY = 100;

const whyNot: Record<NotMoved, string> = {
  ended: 'the saga has ended',
  'already-compensating': 'the saga is on its way back already, and a way back is not cancelled',
  'already-requested': 'a wish to cancel is kept for the end of the saga already',
  'not-parked': 'only the step at which a saga is parked can be skipped',
  'never-turns-back': 'the saga only goes forward',
  'unknown-version': 'this replica does not know the version of the saga’s definition and leaves it alone',
  'unknown-saga': 'there is no saga with this id',
  'repeated-or-late': 'the saga has moved on',
  foreign: 'the saga has no such step',
};

@Injectable()
export class OperatorService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly engine: SagaEngine,
  ) {}

  /** The open sagas, newest first; up to `limit` after the id `before`. */
  list(page: { tenant: string; status?: OpenStatus; before?: string; limit: number }): Promise<ListedSaga[]> {
    return listSagas(this.database, page);
  }

  /** @throws Problem 404 `saga_not_found`, also for a saga of another tenant */
  get(tenant: string, id: string): Promise<SagaView> {
    return this.find(this.database, tenant, id);
  }

  private async find(from: Pick<Tx, 'query'>, tenant: string, id: string): Promise<SagaView> {
    const saga = isUUID(id) ? await readSaga(from, id.toLowerCase()) : undefined;
    if (!saga || (saga.data as Pick<PlaceOrder, 'tenant'>).tenant !== tenant) {
      throw new Problem(404, 'saga_not_found', 'there is no saga with this id');
    }
    return saga.view;
  }

  act({ claim, tenant, sagaId, event }: Act): Promise<Outcome> {
    return this.idempotency.once(claim, async (tx) => {
      const { id } = await this.find(tx, tenant, sagaId);
      const ignored = await this.engine.decideIn(tx, id, event);
      if (ignored) throw notPossible(ignored);
      const { history, ...saga } = await this.find(tx, tenant, id);
      const answer = { ...saga, history: history.slice(-MAX_ANSWERED_HISTORY) };
      return answerWith(201, answer, { location: `/sagas/${id}` });
    });
  }
}

function notPossible(reason: NotMoved): Problem {
  return new Problem(409, 'act_not_possible', whyNot[reason], { extensions: { reason } });
}

/**
 * Sagas for operators: what they see and what they do. The move, its line in the history and the stored answer are one
 * commit.
 */
import { Injectable } from '@nestjs/common';
import { answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { Problem } from '@shop/problem';
import {
  censusOf,
  groupSagas,
  listSagas,
  type NotCorrectable,
  type NotMoved,
  type OpenStatus,
  type OperatorAct,
  readSaga,
  SagaEngine,
  type SagaOutlook,
  SagasByHand,
  type SagaView,
} from '@shop/saga';
import { validationFailed } from '@shop/validation';
import { isUUID } from 'class-validator';
import { cancelOrder } from '../sagas/cancel-order.saga';
import { orderSagas } from '../sagas/order-sagas';
import type { PlaceOrder } from '../sagas/place-order.saga';
import { findCustomers } from '../orders.repository';
import { listedJson, orderIdOf } from './listed-saga.view';
import type { SagaCensusView, SagaDefinitionsView, SagaGroupsView } from './saga-overview.view';
import { SagaSearch } from './saga-search';
import { type SagasPageView, type SagasQuery, statusesOf } from './sagas.query';
import { eventOf, type SagaActBody } from './saga-act.body';

export interface Act {
  claim: Claim;
  tenant: string;
  sagaId: string;
  by: string;
  body: SagaActBody;
}

/** A stored answer has a size limit, and a saga that was retried all night has a long history. */
const MAX_ANSWERED_HISTORY = 100;

const whyNot: Record<NotMoved | NotCorrectable, string> = {
  ended: 'the saga has ended',
  'already-compensating': 'the saga is on its way back already, and a way back is not cancelled',
  'already-requested': 'a wish to cancel is kept for the end of the saga already',
  'not-parked': 'only the step at which a saga is parked can be skipped',
  'never-turns-back': 'the saga only goes forward',
  'unknown-version': 'this replica does not know the version of the saga’s definition and leaves it alone',
  'unknown-saga': 'there is no saga with this id',
  'repeated-or-late': 'the saga has moved on',
  foreign: 'the saga has no such step',
  held: 'the saga is held, and nothing is sent until it is resumed',
  'already-held': 'the saga is held already',
  'not-held': 'nobody holds the saga',
  'outcome-unknown': 'its participant has not refused the command for sure: with another body, it could be done twice',
  'member-fixed': 'the tenant, secrets, and ids that are made of the saga’s own cannot be changed',
  'nothing-changed': 'this is the body that was refused',
};

/** A wish that is kept for its end would never be carried out: nothing takes a cancellation back. */
export const refusedFor = (act: OperatorAct, { definition }: { definition: string }): NotMoved | undefined =>
  act === 'cancel' && definition === cancelOrder.name ? 'never-turns-back' : undefined;

@Injectable()
export class OperatorService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly engine: SagaEngine,
    private readonly search: SagaSearch,
    private readonly byHand: SagasByHand,
  ) {}

  /** Newest first. */
  async list(tenant: string, { q, status, cursor: before, limit, ...filter }: SagasQuery): Promise<SagasPageView> {
    const found = q === undefined ? undefined : await this.search.find(tenant, q);
    const statuses = statusesOf(status ?? (found ? 'all' : 'open'));
    const asked = { ...filter, tenant, statuses, ids: found?.sagaIds, before, limit };
    const { items, next } = await listSagas(this.database, asked);
    const customers = await findCustomers(this.database, tenant, items.map(orderIdOf));
    return { items: items.map((saga) => listedJson(saga, customers)), next, degraded: found?.degraded ?? [] };
  }

  async groups(tenant: string, status: OpenStatus): Promise<SagaGroupsView> {
    return { groups: await groupSagas(this.database, tenant, status) };
  }

  census(tenant: string): Promise<SagaCensusView> {
    return censusOf(this.database, tenant);
  }

  definitions(): SagaDefinitionsView {
    const definitions = orderSagas.map(({ name, version, steps }) => ({
      name,
      version,
      steps: steps.map((step) => ({
        name: step.name,
        isPivot: step.pivot === true,
        hasUndo: step.undo !== undefined,
      })),
    }));
    return { definitions };
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

  /** @throws Problem 404 `saga_not_found`, or 409 `saga_version_unknown` at a replica of another release */
  async outlook(tenant: string, sagaId: string): Promise<SagaOutlook> {
    const { id, definition } = await this.get(tenant, sagaId);
    const outlook = await this.byHand.outlook(this.database, id);
    if (!outlook) throw new Problem(409, 'saga_version_unknown', whyNot['unknown-version']);
    if (definition !== cancelOrder.name) return outlook;
    const acts = outlook.acts.map((one) =>
      one.act === 'cancel' && one.possible ? { act: one.act, possible: false, why: 'never-turns-back' as const } : one,
    );
    return { ...outlook, acts };
  }

  act({ claim, tenant, sagaId, by, body }: Act): Promise<Outcome> {
    if (body.body && body.act !== 'retry') {
      throw validationFailed([{ path: 'body', message: 'belongs to a retry only' }]);
    }
    return this.idempotency.once(claim, async (tx) => {
      const { id, definition } = await this.find(tx, tenant, sagaId);
      const refused = refusedFor(body.act, { definition });
      if (refused) throw notPossible(refused);
      await this.move(tx, id, by, body);
      const { history, ...saga } = await this.find(tx, tenant, id);
      const answer = { ...saga, history: history.slice(-MAX_ANSWERED_HISTORY) };
      return answerWith(201, answer, { location: `/sagas/${id}` });
    });
  }

  private async move(tx: Tx, id: string, by: string, asked: SagaActBody): Promise<void> {
    const { body, reason } = asked;
    if (!body) {
      const ignored = await this.engine.decideIn(tx, id, eventOf(asked, by));
      if (ignored) throw notPossible(ignored);
      return;
    }
    const why = await this.byHand.correctIn(tx, id, { by, reason: reason!, body });
    if (why && 'faults' in why) {
      throw validationFailed(
        why.faults.map(({ path, message }) => ({ path: path ? `body.${path}` : 'body', message })),
      );
    }
    if (why) throw notPossible(why.reason);
  }
}

function notPossible(reason: NotMoved | NotCorrectable): Problem {
  return new Problem(409, 'act_not_possible', whyNot[reason], { extensions: { reason } });
}

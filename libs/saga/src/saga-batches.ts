/** One act on many parked sagas, as a kind of bulk act: which sagas a filter means, and how a few of them are acted on. */
import { type BulkKind, bulkSet, type HeldAct } from '@shop/bulk';
import { isUniqueViolation } from '@shop/postgres';
import type { NotMoved } from './decide-batch';
import type { SagaEngine } from './saga.engine';
import { REASON } from './saga-keys';
import { HISTORY_PRIMARY_KEY, type SagaRow } from './saga.repository';
import type { ActionName, OperatorAct, OperatorEvent } from './saga-state';

export const batchActs = ['retry', 'skip', 'cancel'] as const satisfies readonly OperatorAct[];
export type BatchAct = (typeof batchActs)[number];

/** Which parked sagas are meant: those with all of these. */
export interface BatchFilter {
  definition?: string;
  step?: string;
  action?: ActionName;
  reason?: string;
  olderThanSeconds?: number;
}

export const SAGAS = 'saga';

export const parkedSagas = bulkSet(
  SAGAS,
  `
      select id, version, created_at as since from saga
      where status = 'parked' and data ->> 'tenant' = $2
        and created_at <= now() - make_interval(secs => coalesce(($5::jsonb ->> 'olderThanSeconds')::float8, 0))
        and ($5::jsonb ->> 'definition' is null or definition = $5::jsonb ->> 'definition')
        and ($5::jsonb ->> 'step' is null or step = $5::jsonb ->> 'step')
        and ($5::jsonb ->> 'action' is null or action = $5::jsonb ->> 'action')
        and ($5::jsonb ->> 'reason' is null or ${REASON} = $5::jsonb ->> 'reason')`,
);

export interface ActsOnSagasOptions {
  engine: SagaEngine;
  /** Why an act is none for a saga, beside what its definition says. */
  refusedFor?: (act: BatchAct, saga: SagaRow) => NotMoved | undefined;
}

export function actsOnSagas({ engine, refusedFor }: ActsOnSagasOptions): BulkKind {
  return {
    name: SAGAS,
    idField: 'sagaId',
    act: (tx, held, subjects) => {
      const act = held.act as BatchAct;
      return engine.decideSeen(
        tx,
        subjects.map(({ subjectId: sagaId, version }) => ({
          sagaId,
          version,
          event: eventOf(act, held),
          refusedFor: refusedFor && ((saga: SagaRow) => refusedFor(act, saga)),
        })),
      );
    },
    // Another replica has moved one of the sagas from its memory meanwhile. The step reads again.
    mayRunAgain: (error) => isUniqueViolation(error, HISTORY_PRIMARY_KEY),
  };
}

function eventOf(act: BatchAct, { madeBy: by, reason }: HeldAct): OperatorEvent {
  // A reason is needed to skip; the table of bulk acts cannot say so.
  return act === 'skip'
    ? { type: 'operator', act, by, reason: reason ?? 'none given' }
    : { type: 'operator', act, by, reason: reason ?? undefined };
}

/** A saga as people see it: where it stands and how it got there. */
import type { Statement, Tx } from '@shop/postgres';
import type { ActionName } from './saga-state';

export interface SagaView {
  id: string;
  definition: string;
  version: number;
  status: string;
  step: string;
  /** Which command of the step is awaited, while the saga has not ended. */
  action: ActionName;
  attempt: number;
  reason?: string;
  deadlineAt: string | null;
  history: {
    seq: number;
    at: string;
    event: string;
    step: string;
    from: string;
    to: string;
    attempt: number;
    detail?: unknown;
  }[];
}

interface ViewRow {
  definition: string;
  definition_version: number;
  status: string;
  saga_step: string;
  action: ActionName;
  saga_attempt: number;
  reason: string | null;
  deadline_at: Date | null;
  seq: number;
  at: Date;
  event: string;
  step: string;
  from_position: string;
  to_position: string;
  attempt: number;
  detail: unknown;
  data: unknown;
}

/** A transaction, or the database itself. */
type Reader = Pick<Tx, 'query'>;

export async function findSaga(from: Reader, id: string): Promise<SagaView | undefined> {
  return (await readSaga(from, id))?.view;
}

/** With the saga's data, which is not for everybody's eyes. */
export async function readSaga(from: Reader, id: string): Promise<{ view: SagaView; data: unknown } | undefined> {
  const rows = await from.query<ViewRow>(selectView, [id]);
  const [first] = rows;
  if (!first) return undefined;
  const view: SagaView = {
    id,
    definition: first.definition,
    version: first.definition_version,
    status: first.status,
    step: first.saga_step,
    action: first.action,
    attempt: first.saga_attempt,
    reason: first.reason ?? undefined,
    deadlineAt: first.deadline_at?.toISOString() ?? null,
    history: rows.map((row) => ({
      seq: row.seq,
      at: row.at.toISOString(),
      event: row.event,
      step: row.step,
      from: row.from_position,
      to: row.to_position,
      attempt: row.attempt,
      detail: row.detail ?? undefined,
    })),
  };
  return { view, data: first.data };
}

const selectView: Statement = {
  name: 'saga.select-view',
  text: `
    select s.definition, s.definition_version, s.status, s.step as saga_step, s.action,
           s.attempt as saga_attempt, s.reason, s.deadline_at, case when h.seq = 1 then s.data end as data, h.seq, h.at, h.event, h.step, h.from_position, h.to_position, h.attempt, h.detail
    from saga s join saga_history h on h.saga_id = s.id
    where s.id = $1 order by h.seq`,
};

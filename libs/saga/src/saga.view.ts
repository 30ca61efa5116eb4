/** A saga as people see it: where it stands, and its history. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { Statement, Tx } from '@shop/postgres';
import { isActOfOperator } from './operator';
import { type ActionName, actionNames, type SagaStatus, sagaStatuses, type Wait } from './saga-state';
import { HeldView, heldView, type StoredHold } from './stored-hold';
import { known, type StoredWait } from './stored-wait';

@ApiSchema({ name: 'Transition', description: 'One move of a saga.' })
export class TransitionView {
  @ApiProperty({ type: 'integer', description: 'its place in the history, from 1', example: 2 })
  seq: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.040Z' })
  at: string;

  @ApiProperty({ description: 'what happened', example: 'do.succeeded' })
  event: string;

  @ApiProperty({ description: 'the step that it happened to', example: 'reserve' })
  step: string;

  @ApiProperty({ description: 'the command that was awaited, or new', example: 'reserve.do' })
  from: string;

  @ApiProperty({ description: 'the command that is awaited now, or how the saga ended', example: 'charge.do' })
  to: string;

  @ApiProperty({ type: 'integer', description: 'how often the command that was awaited had been sent', example: 1 })
  attempt: number;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'more about what happened, such as a result; who acted by hand, and why, is shown to operators only',
    example: { reservationId: '01a20621-a6cd-74b9-a1c3-459d717a98c4' },
  })
  detail?: unknown;
}

@ApiSchema({ name: 'Wait', description: 'Somebody else has to act before the saga goes on.' })
export class WaitView implements Wait {
  @ApiProperty({ format: 'date-time', description: 'by then it is decided', example: '2026-03-01T12:15:00.000Z' })
  until: string;

  @ApiProperty({ enum: ['customer', 'provider'], description: 'who has to act', example: 'customer' })
  for: Wait['for'];
}

@ApiSchema({ name: 'Saga', description: 'Where a saga stands and how it got there.' })
export class SagaView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({ description: 'the name of its definition', example: 'place-order' })
  definition: string;

  @ApiProperty({ type: 'integer', description: 'the version of its definition', example: 1 })
  version: number;

  @ApiProperty({ enum: sagaStatuses, example: 'running' })
  status: string;

  @ApiProperty({
    description: 'the step whose reply is awaited; the last one of a saga that has ended',
    example: 'charge',
  })
  step: string;

  @ApiProperty({ enum: actionNames, description: 'which command of the step is awaited', example: 'do' })
  action: ActionName;

  @ApiProperty({
    type: 'integer',
    description: 'how often the awaited command has been sent; 0 while it waits',
    example: 1,
  })
  attempt: number;

  @ApiPropertyOptional({ description: 'why it turned back: a stable code', example: 'out_of_stock' })
  reason?: string;

  @ApiPropertyOptional({ type: WaitView, description: 'present while it waits for somebody to act' })
  waiting?: WaitView;

  @ApiProperty({ type: HeldView, nullable: true, description: 'who holds it, and why; null when nobody does' })
  held: HeldView | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'when the awaited reply is missed, or a wait is over; null when the saga has ended or is held',
    example: '2026-03-01T12:00:05.040Z',
  })
  deadlineAt: string | null;

  @ApiProperty({ type: [TransitionView], description: 'every move, oldest first' })
  history: TransitionView[];
}

interface ViewRow {
  definition: string;
  definition_version: number;
  status: SagaStatus;
  saga_step: string;
  action: ActionName;
  saga_attempt: number;
  reason: string | null;
  waiting: StoredWait | null;
  held: StoredHold | null;
  version: number;
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

/** As customers may see it: that somebody acted by hand, and not who, and not what they wrote about it. */
export function withoutOperators(saga: SagaView): SagaView {
  const history = saga.history.map((move) => (isActOfOperator(move.event) ? { ...move, detail: undefined } : move));
  return { ...saga, held: null, history };
}

/** A transaction, or the database itself. */
type Reader = Pick<Tx, 'query'>;

export async function findSaga(from: Reader, id: string): Promise<SagaView | undefined> {
  return (await readSaga(from, id))?.view;
}

/** Includes the data of the saga, which not everybody may see. */
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
    waiting: waitOf(first),
    held: heldView(first),
    deadlineAt: (heldView(first) ? null : first.deadline_at?.toISOString()) ?? null,
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

const waitOf = ({ status, saga_step: step, saga_attempt: attempt, waiting }: ViewRow): Wait | undefined =>
  known({ status, step, attempt, waiting }).waiting;

const selectView: Statement = {
  name: 'saga.select-view',
  text: `
    select s.definition, s.definition_version, s.status, s.step as saga_step, s.action,
           s.attempt as saga_attempt, s.reason, s.waiting, s.held, s.version, s.deadline_at, case when h.seq = 1 then s.data end as data, h.seq, h.at, h.event, h.step, h.from_position, h.to_position, h.attempt, h.detail
    from saga s join saga_history h on h.saga_id = s.id
    where s.id = $1 order by h.seq`,
};

/** Moves of sagas as the history has them. */
import type { Database, Statement } from '@shop/postgres';

/** A line of the history, by its key. */
export interface Move {
  tenant: string;
  sagaId: string;
  seq: number;
}

export interface SeenMove {
  sagaId: string;
  orderId: string;
  definition: string;
  seq: number;
  step: string;
  event: string;
  from: string;
  to: string;
  /** What the saga is by now. */
  status: string;
  at: Date;
}

/** In the order in which they happened. The tenant is that of the saga, whoever has told of the move. */
export function readMoves(database: Database, moves: readonly Move[]): Promise<(SeenMove & { tenant: string })[]> {
  return database.query(selectMoves, [moves.map(({ sagaId }) => sagaId), moves.map(({ seq }) => seq)]);
}

const selectMoves: Statement = {
  name: 'saga.select-moves',
  text: `
    select s.data ->> 'tenant' as tenant, h.saga_id as "sagaId", s.data ->> 'orderId' as "orderId", s.definition,
           h.seq, h.step, h.event, h.from_position as "from", h.to_position as "to", s.status, h.at
    from (select distinct saga_id, seq from unnest($1::uuid[], $2::int[]) as m (saga_id, seq)) as m
    join saga_history h on h.saga_id = m.saga_id and h.seq = m.seq
    join saga s on s.id = m.saga_id
    order by h.at, h.saga_id, h.seq`,
};

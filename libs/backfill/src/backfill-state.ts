/** What an operator may tell a backfill, and what then becomes of it. Pure. */

export const backfillStatuses = ['idle', 'running', 'paused', 'done', 'failed'] as const;
/** `idle`: it has never run. `failed`: it gave up, and goes on behind its checkpoint when it is told to run. */
export type BackfillStatus = (typeof backfillStatuses)[number];

export interface BackfillState {
  status: BackfillStatus;
  /** How often it was begun from the beginning. */
  runs: number;
}

export interface Wish {
  status: 'running' | 'paused';
  /** Which run is wanted. Only this begins a new one, so that a repeat of the wish does not begin yet another. */
  run?: number;
}

/**
 * `stay`: it is so already. `begin`: from the beginning, as the next run. `go-on`: behind its checkpoint. `pause`: nobody
 * writes any more under the old lease.
 */
export type Move = 'stay' | 'begin' | 'go-on' | 'pause';

export type Refusal = 'backfill_done' | 'backfill_run_unknown' | 'backfill_not_running';

export function moveOf({ status, runs }: BackfillState, wish: Wish): Move | { refused: Refusal } {
  if (wish.status === 'paused') return pausing(status);
  const isOver = status === 'idle' || status === 'done';
  const run = wish.run ?? (status === 'idle' ? runs + 1 : runs);
  if (run > runs) return isOver && run === runs + 1 ? 'begin' : { refused: 'backfill_run_unknown' };
  if (status === 'done') return wish.run === undefined ? { refused: 'backfill_done' } : 'stay';
  return status === 'running' ? 'stay' : 'go-on';
}

function pausing(status: BackfillStatus): Move | { refused: Refusal } {
  if (status === 'running') return 'pause';
  return status === 'paused' ? 'stay' : { refused: 'backfill_not_running' };
}

import { type BackfillState, type Move, moveOf, type Refusal, type Wish } from './backfill-state';

const run = (number?: number): Wish => ({ status: 'running', run: number });
const pause: Wish = { status: 'paused' };

describe('what becomes of a backfill that is told something', () => {
  const table: [BackfillState, Wish, Move | Refusal][] = [
    [{ status: 'idle', runs: 0 }, run(), 'begin'],
    [{ status: 'idle', runs: 0 }, run(1), 'begin'],
    [{ status: 'idle', runs: 0 }, run(2), 'backfill_run_unknown'],
    [{ status: 'idle', runs: 0 }, pause, 'backfill_not_running'],
    [{ status: 'running', runs: 1 }, run(), 'stay'],
    [{ status: 'running', runs: 1 }, run(1), 'stay'],
    [{ status: 'running', runs: 1 }, run(2), 'backfill_run_unknown'],
    [{ status: 'running', runs: 2 }, run(1), 'stay'],
    [{ status: 'running', runs: 1 }, pause, 'pause'],
    [{ status: 'paused', runs: 1 }, run(), 'go-on'],
    [{ status: 'paused', runs: 1 }, run(1), 'go-on'],
    [{ status: 'paused', runs: 1 }, run(2), 'backfill_run_unknown'],
    [{ status: 'paused', runs: 1 }, pause, 'stay'],
    [{ status: 'failed', runs: 1 }, run(), 'go-on'],
    [{ status: 'failed', runs: 1 }, run(1), 'go-on'],
    [{ status: 'failed', runs: 1 }, run(2), 'backfill_run_unknown'],
    [{ status: 'failed', runs: 1 }, pause, 'backfill_not_running'],
    [{ status: 'done', runs: 1 }, run(), 'backfill_done'],
    [{ status: 'done', runs: 1 }, run(1), 'stay'],
    [{ status: 'done', runs: 1 }, run(2), 'begin'],
    [{ status: 'done', runs: 1 }, run(3), 'backfill_run_unknown'],
    [{ status: 'done', runs: 1 }, pause, 'backfill_not_running'],
  ];

  it.each(table)('R42 %j, told %j: %s', (state, wish, expected) => {
    const move = moveOf(state, wish);
    expect(typeof move === 'object' ? move.refused : move).toBe(expected);
  });

  it('R42 a wish that names its run begins it once, however often it is repeated', () => {
    let state: BackfillState = { status: 'done', runs: 3 };
    for (const status of ['running', 'done', 'running', 'done'] as const) {
      if (moveOf(state, run(4)) === 'begin') state = { ...state, runs: state.runs + 1 };
      state = { ...state, status };
    }
    expect(state.runs).toBe(4);
  });
});

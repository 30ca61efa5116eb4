import type { Transition } from '../answers';
import { spanOf, ticksOf, timelineOf } from './timeline';

const START = Date.parse('2026-03-01T12:00:00.000Z');
let seq = 0;
const move = (ms: number, event: string, to: string, step: string): Transition => ({
  seq: ++seq,
  at: new Date(START + ms).toISOString(),
  event,
  step,
  from: '',
  to,
  attempt: 1,
});
const steps = ['reserve', 'charge', 'confirm'];
const good = [
  move(0, 'started', 'reserve.do', 'reserve'),
  move(40, 'do.succeeded', 'charge.do', 'reserve'),
  move(340, 'do.succeeded', 'confirm.do', 'charge'),
  move(400, 'do.succeeded', 'completed', 'confirm'),
];

describe('the timeline of a saga', () => {
  it('has a bar for each time that it waited, to scale', () => {
    const timeline = timelineOf({ history: good, status: 'completed', deadlineAt: null }, { now: START + 9e9, steps });
    expect(timeline.to - timeline.from).toBe(400);
    const bars = timeline.steps.map(({ bars }) => bars.map((bar) => spanOf(bar, timeline)));
    expect(bars).toEqual([
      [{ start: 0, length: 0.1 }],
      [{ start: 0.1, length: 0.75 }],
      [{ start: 0.85, length: expect.closeTo(0.15) as number }],
    ]);
  });

  it('goes on until now while the saga is open, and shows what is to come', () => {
    const history = good.slice(0, 2);
    const timeline = timelineOf({ history, status: 'running', deadlineAt: null }, { now: START + 1_040, steps });
    expect(timeline.to).toBe(START + 1_040);
    expect(timeline.steps[1]!.bars).toMatchObject([{ kind: 'do', isOpen: true, to: START + 1_040 }]);
    expect(timeline.steps[2]).toMatchObject({ name: 'confirm', isToCome: true });
  });

  it('has a deadline that is near on its scale, and does not shrink for one that is far', () => {
    const history = good.slice(0, 1);
    const drawn = (ms: number) =>
      timelineOf(
        { history, status: 'running', deadlineAt: new Date(START + ms).toISOString() },
        { now: START + 1_000, steps },
      );
    expect(drawn(2_500).to).toBe(START + 2_500);
    expect(drawn(60_000).to).toBe(START + 1_000);
    expect(drawn(60_000).deadline).toBe(START + 60_000);
  });

  it('shows where it is parked, and with only its moves not for how long', () => {
    const history = [...good.slice(0, 2), move(100, 'undo.refused', 'parked', 'charge')];
    const saga = { history, status: 'parked' as const, deadlineAt: null };
    const whole = timelineOf(saga, { now: START + 1e6, steps });
    expect(whole.steps[1]!.bars.at(-1)).toMatchObject({ kind: 'parked', to: START + 1e6 });
    expect(timelineOf(saga, { now: START + 1e6, steps, onlyMoves: true }).to).toBe(START + 100);
  });

  it('knows steps that its definition here does not know', () => {
    const history = [move(0, 'started', 'weigh.do', 'weigh')];
    const timeline = timelineOf({ history, status: 'running', deadlineAt: null }, { now: START, steps: [] });
    expect(timeline.steps).toMatchObject([{ name: 'weigh', isToCome: false }]);
  });

  it('of nothing is empty, and not broken', () => {
    const timeline = timelineOf({ history: [], status: 'running', deadlineAt: null }, { now: START, steps });
    expect(timeline.to).toBeGreaterThan(timeline.from);
    expect(timeline.steps.every(({ isToCome }) => isToCome)).toBe(true);
  });
});

describe('the scale', () => {
  it.each([
    [400, [0, 100, 200, 300, 400]],
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [90_000, [0, 20_000, 40_000, 60_000, 80_000]],
  ])('of %d ms has round places', (ms, expected) => {
    const ticks = ticksOf({ from: 0, to: ms });
    expect(ticks.map((tick) => Number(tick.ms.toFixed(6)))).toEqual(expected);
    expect(ticks.at(-1)!.part).toBeLessThanOrEqual(1.000001);
  });
});

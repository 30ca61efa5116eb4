/** The history of a saga as bars on a scale of time. Pure. */
import type { Saga } from '../answers';

export type BarKind = 'do' | 'undo' | 'parked' | 'wait';

export interface Bar {
  step: string;
  kind: BarKind;
  from: number;
  /** Now, for the one that goes on. */
  to: number;
  isOpen: boolean;
  attempt: number;
  /** What ended it. */
  event: string | undefined;
}

export interface Timeline {
  from: number;
  to: number;
  /** In the order of the definition, with those still to come. */
  steps: { name: string; bars: Bar[]; isToCome: boolean }[];
  /** When the awaited reply is missed. Behind `to` when it is too far away to be drawn. */
  deadline: number | undefined;
}

const FINAL = new Set(['completed', 'compensated']);
/** A deadline is drawn when the scale has not to grow by more than this for it. */
const MAX_GROWTH = 3;
/** Of a saga that was over in an instant. */
const LEAST_MS = 1;

export interface Drawn {
  now: number;
  /** Names of the steps of its definition; without them, those that it has come by. */
  steps: readonly string[];
  /** Shows only the time in which it moved, and not for how long it has been where it is. */
  onlyMoves?: boolean;
}

export function timelineOf(
  saga: Pick<Saga, 'history' | 'deadlineAt' | 'status'>,
  { now, steps, onlyMoves }: Drawn,
): Timeline {
  const { history, status } = saga;
  const at = (index: number) => Date.parse(history[index]!.at);
  const isOver = FINAL.has(status);
  const last = history.length === 0 ? now : at(history.length - 1);
  const end = isOver || onlyMoves ? last : Math.max(now, last);
  const bars = history.flatMap((move, index): Bar[] => {
    if (FINAL.has(move.to)) return [];
    const isLast = index === history.length - 1;
    const { step, kind } = placeOf(move.to, move.step);
    const next = history[index + 1];
    return [
      {
        step,
        kind,
        from: at(index),
        to: isLast ? end : at(index + 1),
        isOpen: isLast,
        attempt: next?.attempt ?? 1,
        event: next?.event,
      },
    ];
  });
  const from = history.length === 0 ? now : at(0);
  const deadline = saga.deadlineAt === null ? undefined : Date.parse(saga.deadlineAt);
  const reach = Math.max(end - from, LEAST_MS);
  const isNear = deadline !== undefined && !onlyMoves && deadline - from <= reach * MAX_GROWTH;
  const names = [...new Set([...steps, ...bars.map(({ step }) => step)])];
  return {
    from,
    to: isNear ? Math.max(end, deadline) : from + reach,
    steps: names.map((name) => {
      const own = bars.filter(({ step }) => step === name);
      return { name, bars: own, isToCome: own.length === 0 };
    }),
    deadline,
  };
}

/** `charge.do` is where it waits for that reply; `parked` is at the step that it happened to. */
function placeOf(to: string, step: string): { step: string; kind: BarKind } {
  const [name, action] = to.split('.', 2);
  if (action === 'do' || action === 'undo') return { step: name!, kind: action };
  return { step, kind: to === 'parked' ? 'parked' : 'wait' };
}

/** Round places on the scale, as a part of it, with what they are in time. */
export function ticksOf({ from, to }: Pick<Timeline, 'from' | 'to'>, most = 5): { part: number; ms: number }[] {
  const length = to - from;
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  return Array.from({ length: Math.floor(length / distance) + 1 }, (_, index) => {
    const ms = index * distance;
    return { part: ms / length, ms };
  });
}

/** Where a bar is, in parts of the whole. */
export function spanOf({ from, to }: Pick<Bar, 'from' | 'to'>, whole: Pick<Timeline, 'from' | 'to'>) {
  const length = whole.to - whole.from;
  const start = Math.min(Math.max((from - whole.from) / length, 0), 1);
  return { start, length: Math.min(Math.max((to - from) / length, 0), 1 - start) };
}

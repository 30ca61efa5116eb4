/** Compares bursts of two kinds: the ratio of their medians, and whether it reaches the goal. */
import { type Figures, figureRows, figuresOf } from './figures';
import type { Burst } from './measure';
import type { ScenarioReport } from './scenario';
import { booksOf, list, perSecond, round3 } from './table';

export interface Comparison {
  /** The first kind is the divisor of the ratio. */
  names: [base: string, other: string];
  bursts: [base: Burst[], other: Burst[]];
  /** The goal: the smallest ratio that is good enough. */
  goal: number;
  provider: string;
  faults: string[];
}

export function reportOf({ names, bursts, goal, provider, faults }: Comparison): ScenarioReport {
  const [base, other] = bursts.map(figuresOf) as [Figures, Figures];
  const ratio = round3(other.ordersPerSecond / base.ordersPerSecond);
  const met = ratio >= goal;
  const speeds = bursts.map((one) => one.map(({ ordersPerSecond }) => round3(ordersPerSecond)));
  return {
    rows: [
      ['', ...names],
      ['orders/s', perSecond(base.ordersPerSecond), perSecond(other.ordersPerSecond)],
      ['  by burst', ...speeds.map((one) => list(one))],
      ...figureRows([base, other]),
      [`ratio ${names[1]} / ${names[0]}`, `${ratio.toFixed(2)} (goal: at least ${goal.toFixed(2)}, ${verdict(met)})`],
      ['provider', provider],
      ['books', booksOf(faults)],
    ],
    summary: {
      provider,
      ratio,
      goal,
      met,
      [names[0]]: { ...base, bursts: speeds[0] },
      [names[1]]: { ...other, bursts: speeds[1] },
    },
    faults,
  };
}

const verdict = (met: boolean): string => (met ? 'met' : 'missed');

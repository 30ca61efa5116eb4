/** The figures of several bursts as medians, and the rows that show them side by side. */
import { median, type Percentiles } from './load';
import type { Burst } from './measure';
import { ms, round3, type Row, times } from './table';

export interface Figures {
  ordersPerSecond: number;
  postMs: Percentiles;
  cpuMsPerOrder: number;
  cpuMsByProcess: Record<string, number>;
  commitsPerOrder: number;
  walBytesPerOrder: number;
  /** Undefined, and therefore not in the JSON, where the services do not count it. */
  statementsPerOrder: number | undefined;
  roundTripsPerOrder: number | undefined;
  /** After the last burst. */
  peakMiB: Record<string, number>;
}

export function figuresOf(bursts: readonly Burst[]): Figures {
  const over = (figure: (burst: Burst) => number) => medianOver(bursts, figure);
  return {
    ordersPerSecond: over(({ ordersPerSecond }) => ordersPerSecond),
    postMs: medianTimes(bursts.map(({ postMs }) => postMs)),
    ...costFiguresOf(bursts),
    commitsPerOrder: over(({ cost }) => cost.commitsPerOrder),
    walBytesPerOrder: over(({ cost }) => cost.walBytesPerOrder),
    peakMiB: bursts.at(-1)!.cost.peakMiB,
  };
}

/** The figures of both bursts and steady loads. */
export function costFiguresOf(loads: readonly Pick<Burst, 'cost'>[]) {
  const over = (figure: (load: Pick<Burst, 'cost'>) => number) => medianOver(loads, figure);
  const overIfCounted = (figure: 'statementsPerOrder' | 'roundTripsPerOrder') =>
    loads.every(({ cost }) => cost[figure] !== undefined) ? over(({ cost }) => cost[figure]!) : undefined;
  const processes = Object.keys(loads[0]!.cost.cpuMs);
  return {
    cpuMsPerOrder: over(({ cost }) => cost.cpuMsTotal),
    cpuMsByProcess: Object.fromEntries(processes.map((name) => [name, over(({ cost }) => cost.cpuMs[name] ?? 0)])),
    statementsPerOrder: overIfCounted('statementsPerOrder'),
    roundTripsPerOrder: overIfCounted('roundTripsPerOrder'),
  };
}

export function medianTimes(all: readonly Percentiles[]): Percentiles {
  return {
    p50: medianOver(all, ({ p50 }) => p50),
    p95: medianOver(all, ({ p95 }) => p95),
    p99: medianOver(all, ({ p99 }) => p99),
  };
}

function medianOver<T>(things: readonly T[], figure: (thing: T) => number): number {
  return round3(median(things.map(figure)));
}

/** One row for each figure except the throughput, one column for each of these. */
export function figureRows(columns: readonly Figures[]): Row[] {
  return [
    ['POST p50 / p95 / p99', ...columns.map(({ postMs }) => times(postMs))],
    ...costRows(columns),
    ['commits per order', ...columns.map(({ commitsPerOrder }) => commitsPerOrder.toFixed(2))],
    ['WAL per order', ...columns.map(({ walBytesPerOrder }) => `${Math.round(walBytesPerOrder)} bytes`)],
    ...memoryRows(columns),
  ];
}

/** CPU, statements and round trips; a figure that is not counted has no row. */
export function costRows(columns: readonly ReturnType<typeof costFiguresOf>[], prefix = ''): Row[] {
  const counted = (name: string, values: (number | undefined)[]): Row[] =>
    values.every((value) => value === undefined)
      ? []
      : [[`${prefix}${name}`, ...values.map((value) => value?.toFixed(2) ?? '')]];
  return [
    [`${prefix}CPU per order`, ...columns.map(({ cpuMsPerOrder }) => ms(cpuMsPerOrder))],
    ...Object.keys(columns[0]!.cpuMsByProcess).map((name): Row => [
      `  ${name}`,
      ...columns.map(({ cpuMsByProcess }) => ms(cpuMsByProcess[name] ?? 0)),
    ]),
    ...counted(
      'statements per order',
      columns.map(({ statementsPerOrder }) => statementsPerOrder),
    ),
    ...counted(
      'round trips per order',
      columns.map(({ roundTripsPerOrder }) => roundTripsPerOrder),
    ),
  ];
}

function memoryRows(columns: readonly Figures[]): Row[] {
  const text = ({ peakMiB }: Figures): string =>
    Object.entries(peakMiB)
      .map(([name, mib]) => `${name} ${mib} MiB`)
      .join(', ');
  if (columns.length === 1) return [['peak memory', text(columns[0]!)]];
  return [
    ['peak memory', ...columns.map(() => '')],
    ...Object.keys(columns[0]!.peakMiB).map((name): Row => [
      `  ${name}`,
      ...columns.map(({ peakMiB }) => `${peakMiB[name] ?? 0} MiB`),
    ]),
  ];
}

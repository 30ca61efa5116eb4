/** The figures of all rounds as medians, for people and for programs. */
import { median, type Percentiles } from './load';
import type { RoundResult } from './round';

export function summaryOf(rounds: RoundResult[]) {
  const over = (figure: (round: RoundResult) => number): number => round3(median(rounds.map(figure)));
  const spread = (times: (round: RoundResult) => Percentiles) => ({
    p50: over((round) => times(round).p50),
    p95: over((round) => times(round).p95),
    p99: over((round) => times(round).p99),
  });
  const steady = rounds.every((round) => round.steady)
    ? {
        postToFinalMs: spread((round) => round.steady!.postToFinalMs),
        cpuMsPerOrder: over((round) => round.steady!.cost.cpuMsTotal),
        cpuMsByProcess: Object.fromEntries(
          Object.keys(rounds[0]!.steady!.cost.cpuMs).map((name) => [
            name,
            over((round) => round.steady!.cost.cpuMs[name]!),
          ]),
        ),
      }
    : undefined;
  const processes = Object.keys(rounds[0]!.burst.cost.cpuMs);
  return {
    rounds: rounds.length,
    floorPerSecond: over((round) => round.floorPerSecond),
    ordersPerSecond: over((round) => round.burst.ordersPerSecond),
    ratioToFloor: over((round) => round.burst.ordersPerSecond / round.floorPerSecond),
    postMs: spread((round) => round.burst.postMs),
    cpuMsPerOrder: over((round) => round.burst.cost.cpuMsTotal),
    cpuMsByProcess: Object.fromEntries(processes.map((name) => [name, over((round) => round.burst.cost.cpuMs[name]!)])),
    commitsPerOrder: over((round) => round.burst.cost.commitsPerOrder),
    walBytesPerOrder: over((round) => round.burst.cost.walBytesPerOrder),
    peakMiB: rounds.at(-1)!.burst.cost.peakMiB,
    steady,
    faults: rounds.flatMap(({ faults }) => faults),
  };
}

export function printTable(summary: ReturnType<typeof summaryOf>): void {
  const rows: [string, string][] = [
    ['floor', `${Math.round(summary.floorPerSecond)} orders/s`],
    ['product', `${Math.round(summary.ordersPerSecond)} orders/s`],
    ['ratio to the floor', summary.ratioToFloor.toFixed(2)],
    ['POST p50 / p95 / p99', times(summary.postMs)],
    ['CPU per order', `${summary.cpuMsPerOrder.toFixed(2)} ms`],
    ...Object.entries(summary.cpuMsByProcess).map(([name, ms]): [string, string] => [
      `  ${name}`,
      `${ms.toFixed(2)} ms`,
    ]),
    ['commits per order', summary.commitsPerOrder.toFixed(2)],
    ['WAL per order', `${Math.round(summary.walBytesPerOrder)} bytes`],
    [
      'peak memory',
      Object.entries(summary.peakMiB)
        .map(([name, mib]) => `${name} ${mib} MiB`)
        .join(', '),
    ],
    ...(summary.steady
      ? ([
          ['steady: POST → final', times(summary.steady.postToFinalMs)],
          ['steady: CPU per order', `${summary.steady.cpuMsPerOrder.toFixed(2)} ms`],
          ...Object.entries(summary.steady.cpuMsByProcess).map(([name, ms]) => [`  ${name}`, `${ms.toFixed(2)} ms`]),
        ] as [string, string][])
      : []),
    ['books', summary.faults.length === 0 ? 'exact' : summary.faults.slice(0, 5).join('; ')],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
}

const times = ({ p50, p95, p99 }: Percentiles): string =>
  `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${p99.toFixed(1)} ms`;

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

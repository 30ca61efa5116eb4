/** A table in plain text, and the format of its figures. */
import type { Percentiles } from './load';

export type Row = [name: string, ...values: string[]];

/** Columns as wide as their widest cell; a name first, then its values. */
export function tableOf(rows: readonly Row[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.filter((row) => row.length > 2 || column === 0).map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .join('\n');
}

export const perSecond = (value: number): string => `${Math.round(value)} orders/s`;

export const ms = (value: number): string => `${value.toFixed(2)} ms`;

export const times = ({ p50, p95, p99 }: Percentiles): string =>
  `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${p99.toFixed(1)} ms`;

export const list = (values: readonly number[], digits = 0): string =>
  values.map((value) => value.toFixed(digits)).join(', ');

/** The result of the audit; only the first faults are shown. */
export const booksOf = (faults: readonly string[]): string =>
  faults.length === 0 ? 'exact' : faults.slice(0, MAX_FAULTS).join('; ');

const MAX_FAULTS = 5;

export const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/** How many orders have which end. */
export const endsOf = (ends: Record<string, number>): string =>
  Object.entries(ends)
    .map(([end, count]) => `${count} ${end}`)
    .join(', ');

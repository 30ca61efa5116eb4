/** Rows of text in columns as wide as they need. */
import { printable } from '@shop/observability';

/** The first row is the heads. Cells are made printable first, so that what is escaped is counted as it is shown. */
export function tableOf(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(printable));
  const widths = shown[0]!.map((_, column) => Math.max(...shown.map((row) => row[column]!.length)));
  return shown.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

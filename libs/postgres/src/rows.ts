/**
 * A set of rows as one parameter: a JSON document that the statement reads with `jsonb_to_recordset`. Compared with one
 * array for each column, it was measured to take less than half of the client's time. It also takes less of the
 * server's time where columns hold JSON.
 */

type Column = string | number | boolean | null | undefined | object;

/**
 * The names are the names of the columns in the statement. `undefined` becomes null, and a Date becomes its ISO text.
 */
export function rowsOf(rows: readonly Readonly<Record<string, Column>>[]): string {
  return JSON.stringify(rows);
}

/** A `bytea` column of such a row. */
export function bytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

/**
 * A set of rows as one parameter: a JSON document that the statement reads with `jsonb_to_recordset`. Measured against
 * one array per column it takes less than half the client's time, and less of the server's where columns hold JSON.
 */

type Column = string | number | boolean | null | undefined | object;

/** Names are those that the statement gives to the columns; `undefined` is null, and a Date its ISO text. */
export function rowsOf(rows: readonly Readonly<Record<string, Column>>[]): string {
  return JSON.stringify(rows);
}

/** A `bytea` column of such a row. */
export function bytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

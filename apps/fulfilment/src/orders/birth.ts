/** Since when this service cares for orders. What happened before was cared for by others, or by nobody. */
import type { Database, Statement, Tx } from '@shop/postgres';

/** Milliseconds since 1970, by the clock of the database that the service was born in. */
export async function readBirth(from: Pick<Database | Tx, 'query'>): Promise<number> {
  const [row] = await from.query<{ ms: number }>(selectBirth);
  return row!.ms;
}

/** @param time RFC 3339; the clock of another database, so it may be wrong by as much as the two clocks differ */
export const isBefore = (birth: number, time: string | undefined): boolean =>
  time !== undefined && Date.parse(time) < birth;

const selectBirth: Statement = {
  name: 'birth.select',
  text: `select (extract(epoch from at) * 1000)::float8 as ms from birth`,
};

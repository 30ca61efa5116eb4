/** Makes one row through its entity, unless there is one with its key. So two makers at once never fail. */
import type { InsertQueryBuilder, ObjectLiteral, Repository } from 'typeorm';

type Values<T extends ObjectLiteral> = Parameters<InsertQueryBuilder<T>['values']>[0];

/** @returns what the database has chosen in these columns; undefined when there is a row already */
export async function insertIfAbsent<T extends ObjectLiteral, Name extends keyof T & string>(
  repository: Repository<T>,
  values: Values<T>,
  ...returned: Name[]
): Promise<Pick<T, Name> | undefined> {
  const insert = repository.createQueryBuilder().insert().values(values).orIgnore().returning(returned);
  const inserted = await insert.updateEntity(false).execute();
  return (inserted.raw as Pick<T, Name>[])[0];
}

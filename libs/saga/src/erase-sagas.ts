/** Erases from ended sagas what people have written about them, and who they were. */
import type { Statement, Tx } from '@shop/postgres';
import type { SagaDefinition } from './definition';

/** What stands in the place of what was erased. */
const ERASED = 'erased';

/**
 * Erases why operators acted on these sagas, and with `names` also who they were; and the secrets of those that have
 * ended, should an earlier release have left one. Returns how many lines of the history have changed.
 */
export async function eraseSagas(
  tx: Tx,
  ids: readonly string[],
  { definitions, names }: { definitions: readonly SagaDefinition<never>[]; names: boolean },
): Promise<number> {
  if (ids.length === 0) return 0;
  const secrets = definitions.flatMap((definition) => definition.secrets ?? []);
  tx.send(eraseSecrets, [ids, secrets]);
  const texts = { reason: ERASED, ...(names && { by: ERASED }) };
  return (await tx.query(eraseTexts, [ids, JSON.stringify(texts)])).length;
}

const eraseSecrets: Statement = {
  name: 'saga.erase-secrets',
  text: `
    update saga set data = data - $2::text[]
    where id = any($1::uuid[]) and status in ('completed', 'compensated') and data ?| $2::text[]`,
};

const eraseTexts: Statement = {
  name: 'saga.erase-texts',
  text: `
    update saga_history set detail = detail || $2::jsonb
    where saga_id = any($1::uuid[]) and event like 'operator.%' and not detail @> $2::jsonb returning seq`,
};

/** Erases from ended sagas what people have written about them, and who they were. */
import { eraseReasonsOf } from '@shop/bulk';
import { ERASED } from '@shop/messaging';
import type { Statement, Tx } from '@shop/postgres';
import type { SagaDefinition } from './definition';
import { SAGAS } from './saga-batches';

/**
 * Erases why operators acted on these sagas or hold them, and what they corrected, and with `names` also who they were; and the secrets of those that have
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
  eraseReasonsOf(tx, SAGAS, ids, ERASED);
  tx.send(eraseHolds, [ids, names ? { reason: ERASED, by: ERASED } : { reason: ERASED }]);
  const texts = ['reason', 'corrected'];
  return (await tx.query(eraseTexts, [ids, names ? [...texts, 'by'] : texts, ERASED])).length;
}

const eraseSecrets: Statement = {
  name: 'saga.erase-secrets',
  text: `
    update saga set data = data - $2::text[]
    where id = any($1::uuid[]) and status in ('completed', 'compensated') and data ?| $2::text[]`,
};

const eraseHolds: Statement = {
  name: 'saga.erase-holds',
  text: `update saga set held = held || $2::jsonb where id = any($1::uuid[]) and held is not null`,
};

const eraseTexts: Statement = {
  name: 'saga.erase-texts',
  text: `
    update saga_history h
    set detail = detail || (select jsonb_object_agg(name, $3::text) from unnest($2::text[]) as n (name) where h.detail ? name)
    where saga_id = any($1::uuid[]) and event like 'operator.%'
      and exists (select from unnest($2::text[]) as n (name) where h.detail ->> name <> $3::text)
    returning seq`,
};

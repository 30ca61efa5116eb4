/** The second transaction: what the provider said, and the stored answers, written only where the lease still holds. */
import type { Ledger } from '@shop/idempotency';
import type { Reply } from '@shop/messaging';
import type { Database } from '@shop/postgres';
import { answerOf, SCOPE } from './payment-command';
import { type ChargeOutcome, type PaymentKey, saveChargeOutcomes, saveRefunds } from './payments.repository';

export interface OutcomeRecord {
  key: string;
  token: string;
  reply: Reply;
  charged?: ChargeOutcome;
  refunded?: PaymentKey & { reference: string };
}

/**
 * Answers for each whether its lease still held; the others wrote nothing. Leases hold as a rule, so the first attempt
 * trusts in that and takes one trip; it fails if one does not.
 */
export async function recordOutcomes(
  { database, ledger }: { database: Database; ledger: Ledger },
  records: readonly OutcomeRecord[],
): Promise<boolean[]> {
  const finished = records.map(({ key, token, reply }) => ({ scope: SCOPE, key, token, answer: answerOf(reply) }));
  let seemHeld = true;
  return database.transaction(
    async (tx) => {
      const owned = seemHeld ? ledger.completeAll(tx, finished) : await ledger.complete(tx, finished);
      seemHeld = false;
      const mine = records.filter(({ key }) => owned.has(key));
      saveChargeOutcomes(
        tx,
        mine.flatMap(({ charged }) => charged ?? []),
      );
      saveRefunds(
        tx,
        mine.flatMap(({ refunded }) => refunded ?? []),
      );
      return records.map(({ key }) => owned.has(key));
    },
    (error) => ledger.isLeaseLost(error),
  );
}

/** What the product is safe by, taken out from outside: for the tests that see whether the simulation misses it. */
import { PostgresLedger } from '@shop/idempotency';
import type { Statement, Tx } from '@shop/postgres';
import type { Provider } from './simulated-provider';
import type { Gaps } from './world';

/** An undo that comes first leaves nothing behind. */
class WithoutTombstones extends PostgresLedger {
  override record(tx: Tx, entries: Parameters<PostgresLedger['record']>[1]): void {
    super.record(
      tx,
      entries.filter(({ fingerprint }) => fingerprint),
    );
  }
}

/** Whatever comes is new. */
class Forgetful extends PostgresLedger {
  override find(): Promise<never[]> {
    return Promise.resolve([]);
  }

  override record(): void {}
}

/** Takes everybody's word for the outcome, also that of an owner that was overtaken. */
class WithoutFencing extends PostgresLedger {
  override complete(tx: Tx, finished: Parameters<PostgresLedger['complete']>[1]): Promise<Set<string>> {
    return Promise.resolve(this.completeAll(tx, finished));
  }

  override completeAll(tx: Tx, finished: Parameters<PostgresLedger['completeAll']>[1]): Set<string> {
    for (const { scope, key, answer } of finished) tx.send(completeAnyhow, [scope, key, answer.status, answer.body]);
    return new Set(finished.map(({ key }) => key));
  }
}

const completeAnyhow: Statement = {
  name: 'simulation.complete-anyhow',
  text: `
    update ledger
    set status = 'completed', answer_status = $3, answer_body = $4, completed_at = now(), expires_at = now(),
        leased_by = null, lease_token = null, leased_until = null
    where scope = $1 and key = $2`,
};

/** Under a new key each time: the provider cannot know a request again. */
function withNewKeys({ charge, refund }: Provider): Provider {
  let asked = 0;
  const renamed = <Request extends { idempotencyKey: string }>(request: Request): Request => ({
    ...request,
    idempotencyKey: `${request.idempotencyKey}/${++asked}`,
  });
  return { charge: (request) => charge(renamed(request)), refund: (request) => refund(renamed(request)) };
}

export const noTombstones: Gaps = { ledger: () => new WithoutTombstones() };
export const nothingUndone: Gaps = { message: ({ undoes: _, ...message }) => message };
export const noLedgerOf = (service: string): Gaps => ({
  ledger: (one) => (one === service ? new Forgetful() : undefined),
});
export const noFencing: Gaps = { ledger: () => new WithoutFencing() };
export const newProviderKeys: Gaps = { provider: withNewKeys };

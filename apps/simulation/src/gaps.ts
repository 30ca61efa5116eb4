/** Removes safeguards of the product from outside, for the tests that check that the simulation notices. */
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

/** Every claim counts as new. */
class Forgetful extends PostgresLedger {
  override find(): Promise<never[]> {
    return Promise.resolve([]);
  }

  override record(): void {}
}

/** Accepts the outcome from every owner, also from one that lost its lease. */
class WithoutFencing extends PostgresLedger {
  override async complete(tx: Tx, finished: Parameters<PostgresLedger['complete']>[1]): Promise<void> {
    for (const { scope, key, answer } of finished) tx.send(completeAnyhow, [scope, key, answer.status, answer.body]);
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

/** Uses a new key each time, so the provider cannot recognise a repeated request. */
function withNewKeys({ charge, refund, ...lookUps }: Provider): Provider {
  let asked = 0;
  const renamed = <Request extends { idempotencyKey: string }>(request: Request): Request => ({
    ...request,
    idempotencyKey: `${request.idempotencyKey}/${++asked}`,
  });
  return {
    ...lookUps,
    charge: (request) => charge(renamed(request)),
    refund: (request) => refund(renamed(request)),
  };
}

export const noTombstones: Gaps = { ledger: () => new WithoutTombstones() };
export const nothingUndone: Gaps = { message: ({ undoes: _, ...message }) => message };
export const noLedgerOf = (service: string): Gaps => ({
  ledger: (one) => (one === service ? new Forgetful() : undefined),
});
export const noFencing: Gaps = { ledger: () => new WithoutFencing() };
export const newProviderKeys: Gaps = { provider: withNewKeys };

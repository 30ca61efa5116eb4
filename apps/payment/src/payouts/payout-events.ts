/** Events about payouts. A payout is read from the provider, and written as it is there. */
import { Inject, Injectable } from '@nestjs/common';
import { Database, type Statement } from '@shop/postgres';
import type { Handled, ProviderEventHandler, StoredEvent } from '../webhooks/provider-event';
import { PROVIDER_REPORTS, type ProviderReports } from '../webhooks/provider-reports';

@Injectable()
export class PayoutEvents implements ProviderEventHandler {
  readonly types = ['payout.'];

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(PROVIDER_REPORTS) private readonly reports: ProviderReports,
  ) {}

  async handle({ objectId }: StoredEvent): Promise<Handled> {
    // Of two that look at once, who began later knows at least as much. So the time is taken before the look.
    const [look] = await this.database.query<{ at: string }>(beginLook);
    const { id, amount, currency, status, arrivalDate, failureCode } = await this.reports.payout(objectId);
    await this.database.query(writePayout, [id, amount, currency, status, arrivalDate, failureCode, look!.at]);
    return 'done';
  }
}

// As a text: a Date of JavaScript would cut the microseconds.
const beginLook: Statement = { name: 'payout.begin-look', text: 'select clock_timestamp()::text as at' };

const writePayout: Statement = {
  name: 'payout.write',
  text: `
    insert into payout (id, amount, currency, status, arrival_date, failure_code, read_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (id) do update
    set amount = excluded.amount, currency = excluded.currency, status = excluded.status,
        arrival_date = excluded.arrival_date, failure_code = excluded.failure_code, read_at = excluded.read_at
    where payout.read_at < excluded.read_at`,
};

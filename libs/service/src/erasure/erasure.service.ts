/** Erases the personal data of a customer, or of a whole tenant, from all tables of the service. */
import { Inject, Injectable } from '@nestjs/common';
import { eraseBulkActs, eraseMentions } from '@shop/bulk';
import type { Caller } from '@shop/http';
import { Idempotency, tenantPrefix } from '@shop/idempotency';
import { type DataSubject, ERASED, eraseDeadLetters } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { removeKeysOf } from '../api-keys/api-key.repository';
import { LOGGER } from '../logger';
import { type ErasedRows, OWN_DATA, type OwnData } from './own-data';

@Injectable()
export class ErasureService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @Inject(OWN_DATA) private readonly ownData: OwnData,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Every part runs in small transactions and converges. Whoever asks again after a crash gets the rest erased.
   * @throws Problem 409 `open_orders` or `open_requests`
   */
  async erase(subject: DataSubject, { tenant: by, principal, roles }: Caller): Promise<ErasedRows[]> {
    const { tenant, customerId } = subject;
    const prefix = tenantPrefix(tenant);
    await this.refuseOpen(subject, prefix);
    const own = await this.ownData.erase(this.database, subject);
    // As it stands within a stored answer. A longer name that has this one in it loses its answers too.
    const mention = customerId === undefined ? undefined : JSON.stringify(customerId).slice(1, -1);
    const answers = await this.idempotency.forget(prefix, mention);
    const keys = customerId === undefined ? await this.removeKeys(tenant) : [];
    const alias = customerId === undefined ? undefined : this.ownData.aliasOf?.({ tenant, customerId });
    // Before the letters: a batch that runs writes its reason to them.
    const bulkActs = await this.eraseBulk(subject);
    const letters = await eraseDeadLetters(
      this.database,
      { ...subject, alias },
      { unowned: roles.includes('platform') },
    );
    const erased: ErasedRows[] = [
      ...own,
      { table: 'ledger', what: 'stored answers and their keys', rows: answers },
      bulkActs,
      { table: 'dead_letter', what: 'messages and notes', rows: letters },
      ...keys,
    ];
    // Not who was erased: a log is not erased.
    const rows = Object.fromEntries(erased.map(({ table, rows }) => [table, rows]));
    this.logger.info({ tenant, by: `${by}/${principal}`, whole: customerId === undefined, rows }, 'data.erased');
    return erased;
  }

  private async eraseBulk({ tenant, customerId }: DataSubject): Promise<ErasedRows> {
    const table = 'bulk_act';
    if (customerId === undefined) {
      return { table, what: 'what operators did in bulk', rows: await eraseBulkActs(this.database, tenant) };
    }
    const rows = await eraseMentions(this.database, { tenant, customerId }, ERASED);
    return { table, what: 'why operators acted in bulk', rows };
  }

  private async removeKeys(tenant: string): Promise<ErasedRows[]> {
    const rows = await this.database.transaction((tx) => removeKeysOf(tx, tenant));
    return [{ table: 'api_key', what: 'API keys, which are good no longer', rows }];
  }

  private async refuseOpen(subject: DataSubject, prefix: string): Promise<void> {
    const orders = (await this.ownData.countOpen?.(this.database, subject)) ?? 0;
    if (orders > 0) {
      const detail = `${orders} orders have not ended, and need their data: wait for them or end them, and ask again`;
      throw new Problem(409, 'open_orders', detail, { extensions: { open: orders } });
    }
    if (subject.customerId !== undefined) return;
    const open = await this.idempotency.countPending(prefix, subject.tenant);
    if (open === 0) return;
    const detail = `${open} requests or commands are under way: wait until their outcome is known, and ask again`;
    throw new Problem(409, 'open_requests', detail, { extensions: { open } });
  }
}

/**
 * Erases who placed the order of an invoice. The invoice itself stays: it must be kept for years, and it names nobody.
 */
import type { Statement } from '@shop/postgres';
import { eraseFound, type OwnData } from '@shop/service';

const INVOICES_PER_STEP = 1_000;

export const invoiceData: OwnData = {
  erase: async (database, { tenant, customerId }) => {
    const values = [tenant, customerId ?? null, INVOICES_PER_STEP];
    const rows = await eraseFound(database, INVOICES_PER_STEP, customerId === undefined ? eraseAll : eraseOwn, values);
    return [{ table: 'invoice', what: 'who placed the order', rows }];
  },
};

const eraseWhere = (condition: string): string => `
    update invoice i set placed_by = null, updated_at = now()
    from (
      select tenant, number from invoice where tenant = $1 and placed_by is not null and ${condition}
      order by placed_by, number limit $3
    ) as step
    where i.tenant = step.tenant and i.number = step.number
    returning i.number`;

const eraseOwn: Statement = { name: 'invoice.erase-own', text: eraseWhere('placed_by = $2') };
const eraseAll: Statement = { name: 'invoice.erase-all', text: eraseWhere('$2::text is null') };

/** Finds the tenants that have orders, however many orders they have. */
import { Injectable } from '@nestjs/common';
import { Database, type Statement } from '@shop/postgres';

export interface TenantsPage {
  /** Only this one, if it has an order. */
  only?: string;
  /** Behind this name. */
  after: string;
  limit: number;
}

@Injectable()
export class TenantsService {
  constructor(private readonly database: Database) {}

  async list({ only, after, limit }: TenantsPage): Promise<string[]> {
    const rows = await (only === undefined
      ? this.database.query<{ tenant: string }>(selectTenants, [after, limit])
      : this.database.query<{ tenant: string }>(selectTenant, [after, only]));
    return rows.map(({ tenant }) => tenant);
  }
}

/**
 * Each step takes the first row behind the name before it from the primary key, so it reads one row for each tenant. It
 * is exported for the test of its plan.
 */
export const selectTenants: Statement = {
  name: 'orders.select-tenants',
  text: `
    with recursive found as (
      (select tenant from orders where tenant > $1 order by tenant limit 1)
      union all
      select (select o.tenant from orders o where o.tenant > f.tenant order by o.tenant limit 1)
      from found f where f.tenant is not null
    )
    select tenant from found where tenant is not null limit $2`,
};

const selectTenant: Statement = {
  name: 'orders.select-tenant',
  text: `select tenant from orders where tenant = $2 and tenant > $1 limit 1`,
};

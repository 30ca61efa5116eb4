/** What an erasure reaches of the order service: profiles, carts, orders, and what hangs on them. */
import type { Database } from '@shop/postgres';
import { eraseStepHolds } from '@shop/saga';
import type { ErasedRows, OwnData } from '@shop/service';
import { eraseCarts } from './erase-carts';
import { countOpenOrders, eraseOrders } from './erase-orders';
import { eraseProfiles } from './erase-profiles';
import type { Subject } from './subject';

export const orderData: OwnData = {
  countOpen: countOpenOrders,
  erase: eraseCustomerData,
};

/** In small transactions, in an order that does not matter. Run again, it finds nothing. */
export async function eraseCustomerData(database: Database, subject: Subject): Promise<ErasedRows[]> {
  const profiles = await eraseProfiles(database, subject);
  const carts = await eraseCarts(database, subject);
  const orders = await eraseOrders(database, subject);
  return [...profiles, ...carts, ...orders, ...(await eraseOperators(database, subject))];
}

/** Why operators of the tenant held a step may name a customer. */
async function eraseOperators(database: Database, { tenant, customerId, placedBy }: Subject): Promise<ErasedRows[]> {
  if (placedBy !== undefined) return [];
  const rows = await eraseStepHolds(database, tenant, customerId);
  return [{ table: 'saga_hold', what: 'why steps were held', rows }];
}

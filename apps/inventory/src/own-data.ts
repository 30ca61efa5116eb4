/** What the inventory service erases of a person or a tenant: the tables that only it has. */
import { customerHash } from '@shop/contracts';
import type { OwnData } from '@shop/service';
import { eraseRepairs } from './checks/erase-repairs';
import { eraseReservations } from './reservations/erase-reservations';
import { eraseMovements } from './stock/erase-movements';

export const inventoryData: OwnData = {
  aliasOf: ({ tenant, customerId }) => customerHash(tenant, customerId),
  erase: async (database, subject) => [
    ...(await eraseMovements(database, subject)),
    ...(await eraseReservations(database, subject)),
    ...(await eraseRepairs(database, subject)),
  ],
};

/** What the fulfilment service erases of a person or a tenant: the tables that only it has. */
import type { OwnData } from '@shop/service';
import { countOpenDeliveries, eraseDeliveries } from './deliveries/erase-deliveries';
import { eraseNotifications } from './notifications/erase-notifications';
import { eraseHeardOrders } from './orders/erase-heard-orders';
import { erasePoints } from './points/erase-points';

export const fulfilmentData: OwnData = {
  // They need the customer's address.
  countOpen: countOpenDeliveries,
  erase: async (database, subject) => [
    ...(await eraseHeardOrders(database, subject)),
    ...(await erasePoints(database, subject)),
    ...(await eraseNotifications(database, subject)),
    ...(await eraseDeliveries(database, subject)),
  ],
};

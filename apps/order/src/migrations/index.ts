/** The order service's own tables, beside those of its ledger and its sagas. */
import { CreateOrders1760000010000 } from './1760000010000-create-orders';

export const orderMigrations = [CreateOrders1760000010000];

/** The inventory service's own tables, beside its ledger's. */
import { CreateStock1760000020000 } from './1760000020000-create-stock';

export const inventoryMigrations = [CreateStock1760000020000];

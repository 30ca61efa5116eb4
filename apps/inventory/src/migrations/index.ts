/** The inventory service's own tables, beside its ledger's. */
import { CreateStock1760000020000 } from './1760000020000-create-stock';
import { KeyAdjustments1760000021000 } from './1760000021000-key-adjustments';

export const inventoryMigrations = [CreateStock1760000020000, KeyAdjustments1760000021000];

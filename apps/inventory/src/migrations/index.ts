/** The inventory service's own tables, beside its ledger's. */
import { CreateStock1760000020000 } from './1760000020000-create-stock';
import { KeyAdjustments1760000021000 } from './1760000021000-key-adjustments';
import { DropStockShapeChecks1760000022000 } from './1760000022000-drop-stock-shape-checks';

export const inventoryMigrations = [
  CreateStock1760000020000,
  KeyAdjustments1760000021000,
  DropStockShapeChecks1760000022000,
];

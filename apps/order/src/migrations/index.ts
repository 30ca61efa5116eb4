/** The order service's own tables, beside those of its ledger and its sagas. */
import { CreateOrders1760000010000 } from './1760000010000-create-orders';
import { AddPlacedAs1760000011000 } from './1760000011000-add-placed-as';
import { DropOrdersShapeChecks1760000012000 } from './1760000012000-drop-orders-shape-checks';

export const orderMigrations = [
  CreateOrders1760000010000,
  AddPlacedAs1760000011000,
  DropOrdersShapeChecks1760000012000,
];

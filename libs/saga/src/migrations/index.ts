/** A service that runs sagas runs these migrations before its own. */
import { CreateSaga1760000001000 } from './1760000001000-create-saga';
import { IndexParkedByTenant1760000001001 } from './1760000001001-index-parked-by-tenant';
import { DropSagaShapeChecks1760000001002 } from './1760000001002-drop-saga-shape-checks';

export const sagaMigrations = [
  CreateSaga1760000001000,
  IndexParkedByTenant1760000001001,
  DropSagaShapeChecks1760000001002,
];

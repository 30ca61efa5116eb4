/** A service that runs sagas runs these migrations before its own. */
import { CreateSaga1760000001000 } from './1760000001000-create-saga';
import { IndexParkedByTenant1760000001001 } from './1760000001001-index-parked-by-tenant';

export const sagaMigrations = [CreateSaga1760000001000, IndexParkedByTenant1760000001001];

/** A service that runs sagas runs these migrations before its own. */
import { CreateSaga1760000001000 } from './1760000001000-create-saga';
import { ListByCreation1760000001100 } from './1760000001100-list-by-creation';
import { WaitingSagas1760000001200 } from './1760000001200-waiting-sagas';
import { TraceParents1760000001250 } from './1760000001250-trace-parents';
import { HeldSagas1760000001300 } from './1760000001300-held-sagas';
import { SearchSagas1760000001310 } from './1760000001310-search-sagas';

export const sagaMigrations = [
  CreateSaga1760000001000,
  ListByCreation1760000001100,
  WaitingSagas1760000001200,
  TraceParents1760000001250,
  HeldSagas1760000001300,
  SearchSagas1760000001310,
];

/** A service that runs sagas runs these migrations before its own. */
import { CreateSaga1760000001000 } from './1760000001000-create-saga';
import { ListByCreation1760000001100 } from './1760000001100-list-by-creation';
import { WaitingSagas1760000001200 } from './1760000001200-waiting-sagas';

export const sagaMigrations = [CreateSaga1760000001000, ListByCreation1760000001100, WaitingSagas1760000001200];

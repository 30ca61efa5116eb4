/** A service that runs sagas runs these migrations before its own. */
import { CreateSaga1760000001000 } from './1760000001000-create-saga';

export const sagaMigrations = [CreateSaga1760000001000];

/** A service on whose subjects operators act in bulk runs these migrations before its own. */
import { CreateBulkActs1760000005000 } from './1760000005000-create-bulk-acts';

export const bulkMigrations = [CreateBulkActs1760000005000];

/** What a service with backfills runs before its own migrations. */
import { CreateBackfills1760000004000 } from './1760000004000-create-backfills';

export const backfillMigrations = [CreateBackfills1760000004000];

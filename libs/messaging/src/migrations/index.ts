/** A service that publishes events runs these migrations before its own. */
import { CreateOutbox1760000002000 } from './1760000002000-create-outbox';

export const outboxMigrations = [CreateOutbox1760000002000];

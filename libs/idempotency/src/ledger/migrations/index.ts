/** Every service that keeps a ledger runs these migrations before its own. */
import { CreateLedger1760000000000 } from './1760000000000-create-ledger';
import { MarkUndone1760000000100 } from './1760000000100-mark-undone';

export const ledgerMigrations = [CreateLedger1760000000000, MarkUndone1760000000100];

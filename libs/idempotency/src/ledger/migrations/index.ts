/** Every service that keeps a ledger runs these migrations before its own. */
import { CreateLedger1760000000000 } from './1760000000000-create-ledger';
import { AddRecoveryPoints1760000000001 } from './1760000000001-add-recovery-points';
import { DropLedgerShapeChecks1760000000002 } from './1760000000002-drop-ledger-shape-checks';

export const ledgerMigrations = [
  CreateLedger1760000000000,
  AddRecoveryPoints1760000000001,
  DropLedgerShapeChecks1760000000002,
];

export { type BulkAct, type BulkRow, type NewBulkAct } from './bulk-act';
export {
  ApiBatchId,
  BulkActBody,
  BulkActsQuery,
  BulkActView,
  BulkRowsQuery,
  BulkRowView,
  IfGiven,
} from './bulk-act.view';
export { BulkActs } from './bulk-acts';
export {
  bulkSet,
  countRunning,
  findBulkAct,
  freezeBulkAct,
  listBulkActs,
  listBulkRows,
  stopBulkAct,
} from './bulk-acts.repository';
export type { BulkKind, HeldAct, Subject } from './bulk-kind';
export { BulkWorker } from './bulk-worker';
export { eraseBulkActs, eraseMentions, eraseReasonsOf } from './erase-bulk-acts';
export { bulkMigrations } from './migrations';

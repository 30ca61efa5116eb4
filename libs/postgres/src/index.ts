export { type DatabaseAddress, faultOfDatabaseUrl, isInTheClear } from './address';
export { traffic } from './bundle';
export { queryBySummary } from './by-summary';
export { databaseTime } from './clock';
export { absentIfNull, isoTime, isoTimeIfAny, isoTimeOrNull } from './columns';
export { createDatabase, Database, type DatabaseOptions } from './database';
export { insertIfAbsent } from './insert-if-absent';
export { GATHER_MS, Lane, LaneFullError, type LaneOptions, longestStuckMs } from './lane';
export { migrate, runMigrations } from './migrate';
export {
  DatabaseAwayError,
  type Fault,
  faultOf,
  isCommon,
  isLockTimeout,
  isPassing,
  isSerializationFailure,
  isUniqueViolation,
  isUnreachable,
} from './pg-errors';
export { refuseSharedSessions } from './pooler';
export { bytea, rowsOf } from './rows';
export type { Statement } from './statement';
export type { Tx } from './transaction';
export { pendingMigrations, troubleOf } from './trouble';

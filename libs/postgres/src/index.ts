export { traffic } from './bundle';
export { absentIfNull, isoTime } from './columns';
export { createDatabase, Database, type DatabaseOptions } from './database';
export { GATHER_MS, Lane, LaneFullError, type LaneOptions } from './lane';
export { migrate } from './migrate';
export { isConnectionFailure, isLockTimeout, isPassing, isSerializationFailure, isUniqueViolation } from './pg-errors';
export { bytea, rowsOf } from './rows';
export type { Statement } from './statement';
export type { Tx } from './transaction';

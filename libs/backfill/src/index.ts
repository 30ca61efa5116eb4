export {
  type Backfill,
  type Cursor,
  defineBackfill,
  type ReadBackfill,
  type Stretch,
  type TableBackfill,
} from './backfill';
export { BackfillModule, type BackfillModuleOptions } from './backfill.module';
export { BackfillWorker, type BackfillWorkerOptions } from './backfill-worker';
export { backfillMigrations } from './migrations';

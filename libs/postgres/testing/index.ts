export { applyMigrations } from './apply-migrations';
export { InterruptedDatabase } from './interrupted-database';

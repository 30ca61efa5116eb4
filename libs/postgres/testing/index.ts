export { applyMigrations } from './apply-migrations';
export { CountedDatabase } from './counted-database';
export { InterruptedDatabase } from './interrupted-database';

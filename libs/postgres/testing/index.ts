export { applyMigrations } from './apply-migrations';
export { CountedDatabase } from './counted-database';
export { InterruptedDatabase } from './interrupted-database';
export { type Pooler, type PoolerOptions, startPooler } from './pooler';
export { startTlsServer, type TlsServer } from './tls-server';

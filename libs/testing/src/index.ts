// The door of @shop/testing: what tests share; no product code may import it.
export { createAuthority } from './certificates';
export type { Authority, Certificate } from './certificates';
export { startProcess } from './child-process';
export type { ProcessExit, ProcessOptions, RunningProcess } from './child-process';
export { eventually } from './eventually';
export type { EventuallyOptions } from './eventually';
export { expectKeptFile } from './kept-file';
export { setClockAhead } from './process-clock';
export { seededRandom } from './random';
export type { SeededRandom } from './random';
export { expectSchema } from './schema';
export { testStack, useStack } from './stack';
export type { TestStack, TestStackUrls, UseStackOptions } from './stack';
export { startTcpProxy } from './tcp-proxy';
export type { TcpProxy } from './tcp-proxy';
export { createTestDatabase } from './test-database';
export type { TestDatabase, TestDatabaseOptions } from './test-database';
export { typescriptProcess } from './typescript-process';
